"""The rules, one file each: they judge facts, in the words of people. The order is that of their codes."""

from __future__ import annotations

from coopy.validation.rules import (
    blocking,
    clock,
    clock_misuse,
    concurrency,
    database,
    default_mutable,
    dynamic,
    environment,
    filesystem,
    generator,
    identity,
    input,
    introspection,
    live_global,
    locale,
    network,
    output,
    process,
    process_state,
    random,
    readonly_mutation,
    set_order,
    timezone,
    unpicklable_state,
)
from coopy.validation.rules.notices import NOTICES
from coopy.validation.rules.rule import Rule

__all__ = ["NOTICES", "RULES", "Rule"]

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            blocking.RULE,
            clock.RULE,
            clock_misuse.RULE,
            concurrency.RULE,
            database.RULE,
            default_mutable.RULE,
            dynamic.RULE,
            environment.RULE,
            filesystem.RULE,
            generator.RULE,
            identity.RULE,
            input.RULE,
            introspection.RULE,
            live_global.RULE,
            locale.RULE,
            network.RULE,
            output.RULE,
            process.RULE,
            process_state.RULE,
            random.RULE,
            readonly_mutation.RULE,
            set_order.RULE,
            timezone.RULE,
            unpicklable_state.RULE,
        ),
        key=lambda rule: rule.code,
    )
)
