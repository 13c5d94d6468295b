from . import stamps
