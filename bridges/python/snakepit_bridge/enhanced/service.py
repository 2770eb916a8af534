"""The commands by which a host calls allow-listed libraries."""

from ..command import Command
from ..hooks import SESSION_CLOSE
from .allow_list import AllowList
from .calls import Caller
from .failures import BAD_ARGUMENT, NO_SESSION, refusal
from .guard import Guard
from .inspection import describe_target
from .models import Models
from .pipeline import run_pipeline
from .plugin import Plugins
from .settings import Settings
from .store import ObjectStore, measure_by
from .tables import load_table

_COMMANDS = (
    "call store retrieve list delete pipeline inspect configure info load_dataframe create_model train_model predict".split()
)
PREFIX = "python."


class Enhanced:
    """Serves `python.call` and its like for the modules of an allow-list.

    `allow` lists modules (`math`), packages with all that is in them (`sklearn.*`) and single objects (`json.loads`). Called functions may neither read
    nor write files outside of the folders `read` and `write`, and nothing of "network", "processes" and "pickle" that `permit` does not name.
    A session keeps at most `max_objects` objects of `max_bytes`; a result has at most `max_values` values, arrays and tables apart.
    """

    def __init__(self, allow, **settings):
        self.settings = Settings(allow=allow, **settings)
        self.allow = AllowList(self.settings.allow)
        self.plugins = Plugins(self.allow.roots)
        self.guard = Guard(self.settings.permit, self.settings.read, self.settings.write, self.allow.roots)
        self._measure = measure_by(self.plugins)
        self._sessions = {}
        self.models = Models()

    def commands(self):
        """One command for each verb."""
        return [Command(PREFIX + name, getattr(self, name)) for name in _COMMANDS]

    def hooks(self):
        """What follows sessions: one that has ended lets go of its objects."""
        return {SESSION_CLOSE: [self.close_session]}

    def close_session(self, session):
        """Let go of a session's objects."""
        self._sessions.pop(session.id, None)

    def call(self, ctx, target, args=None, kwargs=None, store_as=None):
        """Call what `target` names with arguments, or read it where there are none."""
        with self._caller(ctx) as caller:
            return caller.run(target, args, kwargs, store_as)

    def store(self, ctx, name, value):
        """Keep a value in the session."""
        with self._caller(ctx, "store") as caller:
            caller.objects.check_name(name, self.allow.roots)
            return caller.put(name, caller.decode(value))

    def retrieve(self, ctx, name):
        """The value of a stored object."""
        with self._caller(ctx, "retrieve") as caller:
            return {"value": caller.encode(caller.objects[name])}

    def list(self, ctx):
        """What the session has stored."""
        with self._caller(ctx, "list") as caller:
            return {"objects": [caller.describe(name) for name in caller.objects], "bytes": caller.objects.bytes}

    def delete(self, ctx, name):
        """Let go of a stored object."""
        with self._caller(ctx, "delete") as caller:
            caller.objects.delete(name)
            return {"deleted": name}

    def pipeline(self, ctx, steps):
        """Run calls one after the other; each may refer to what those before it have made."""
        with self._caller(ctx) as caller:
            return run_pipeline(caller, steps)

    def inspect(self, ctx, target):
        """Describe what `target` names: its kind, signature, documentation and members."""
        with self._caller(ctx) as caller:
            return describe_target(caller, target)

    def configure(self, ctx, framework, settings):
        """Set up a framework in the worker of the session, by its plugin."""
        with self._caller(ctx, "configure") as caller:
            plugin = self.plugins.of_package(framework) if framework in self.allow.roots else None
            if plugin is None:
                raise refusal(BAD_ARGUMENT, "%.80r is no framework that is on the allow-list and has a plugin" % (framework,))
            return {"configured": plugin.configure(caller.decode(settings))}

    def info(self, ctx):
        """Describe the worker: versions, the allow-list, limits, and what this session holds."""
        from .inspection import describe_worker

        with self._caller(ctx) as caller:
            return describe_worker(self, caller)

    def load_dataframe(self, ctx, source, store_as=None, options=None):
        """Make a table of CSV, JSON, records or columns, or of a file in a folder that may be read."""
        with self._caller(ctx) as caller:
            caller.check_store_as(store_as)
            return caller.answer(load_table(caller.decode(source), caller.decode(options) or {}), store_as)

    def create_model(self, ctx, target, params=None, store_as=None):
        """Make a model and keep it in the session."""
        with self._caller(ctx, "create_model") as caller:
            return self.models.create(caller, target, params, store_as)

    def train_model(self, ctx, model, data, target=None, features=None, params=None):
        """Train a stored model."""
        with self._caller(ctx, "train_model") as caller:
            return self.models.train(caller, model, caller.decode(data), target, features, params)

    def predict(self, ctx, model, data, method="predict", features=None, store_as=None):
        """Let a stored model predict."""
        with self._caller(ctx, "predict") as caller:
            return self.models.predict(caller, model, caller.decode(data), method, features, store_as)

    def _caller(self, ctx, needs_session=None):
        session = ctx.session
        if session is not None:
            objects = self._sessions.get(session.id)
            if objects is None:
                objects = self._sessions[session.id] = self._new_store()
        elif needs_session is None:
            objects = None
        else:
            raise refusal(
                NO_SESSION, "'%s' is of a session, whose objects its worker keeps; call it in a session" % needs_session
            )
        return Caller(self, objects)

    def _new_store(self):
        return ObjectStore(self.settings.max_objects, self.settings.max_bytes, self._measure)
