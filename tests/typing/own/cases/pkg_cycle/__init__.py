from .app import main as main
from .model import Model as Model
