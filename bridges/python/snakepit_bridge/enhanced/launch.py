"""Makes the library commands that a host's adapter asks for."""

from ..loader import load_module
from .service import Enhanced
from .settings import settings_from_json


def create_library(text):
    """The library commands of settings as JSON; plugins, which may register serializers, are loaded first. Raises StartupError."""
    settings = settings_from_json(text)
    for plugin in settings.get("plugins") or ():
        load_module(plugin)
    return Enhanced(**{"allow": [], **settings})
