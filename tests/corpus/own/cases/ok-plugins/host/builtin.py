from .api import hook


@hook("saved")
def count(ctx, name, **_):
    ctx.counts[name] = ctx.counts.get(name, 0) + 1


@hook("saved", first=True)
def shout(ctx, name, **data):
    if data.get("loud"):
        ctx.emit("shouted", name=name.upper())


@hook("shouted")
def remember(ctx, name):
    ctx.shouts.append(name)
