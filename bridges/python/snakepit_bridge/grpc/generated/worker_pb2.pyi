from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CancelReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANCEL_REASON_UNSPECIFIED: _ClassVar[CancelReason]
    CANCEL_REASON_CALLER: _ClassVar[CancelReason]
    CANCEL_REASON_DEADLINE: _ClassVar[CancelReason]

class CommandKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMAND_KIND_UNSPECIFIED: _ClassVar[CommandKind]
    COMMAND_KIND_CALL: _ClassVar[CommandKind]
    COMMAND_KIND_STREAM: _ClassVar[CommandKind]
CANCEL_REASON_UNSPECIFIED: CancelReason
CANCEL_REASON_CALLER: CancelReason
CANCEL_REASON_DEADLINE: CancelReason
COMMAND_KIND_UNSPECIFIED: CommandKind
COMMAND_KIND_CALL: CommandKind
COMMAND_KIND_STREAM: CommandKind

class Body(_message.Message):
    __slots__ = ("data", "tagged")
    DATA_FIELD_NUMBER: _ClassVar[int]
    TAGGED_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    tagged: bool
    def __init__(self, data: _Optional[bytes] = ..., tagged: bool = ...) -> None: ...

class CallRequest(_message.Message):
    __slots__ = ("attachment", "id", "command", "command_name", "body", "tagged", "meta")
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    COMMAND_NAME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TAGGED_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    attachment: int
    id: int
    command: int
    command_name: str
    body: bytes
    tagged: bool
    meta: CallMeta
    def __init__(self, attachment: _Optional[int] = ..., id: _Optional[int] = ..., command: _Optional[int] = ..., command_name: _Optional[str] = ..., body: _Optional[bytes] = ..., tagged: bool = ..., meta: _Optional[_Union[CallMeta, _Mapping]] = ...) -> None: ...

class CallMeta(_message.Message):
    __slots__ = ("session", "traceparent", "tracestate", "context", "batch")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    session: str
    traceparent: str
    tracestate: str
    context: _containers.ScalarMap[str, str]
    batch: bool
    def __init__(self, session: _Optional[str] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ..., context: _Optional[_Mapping[str, str]] = ..., batch: bool = ...) -> None: ...

class CallReply(_message.Message):
    __slots__ = ("body", "tagged", "service_us", "notices")
    BODY_FIELD_NUMBER: _ClassVar[int]
    TAGGED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_US_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    body: bytes
    tagged: bool
    service_us: int
    notices: int
    def __init__(self, body: _Optional[bytes] = ..., tagged: bool = ..., service_us: _Optional[int] = ..., notices: _Optional[int] = ...) -> None: ...

class StreamItem(_message.Message):
    __slots__ = ("chunks", "progress", "end")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[Body]
    progress: Body
    end: StreamEnd
    def __init__(self, chunks: _Optional[_Iterable[_Union[Body, _Mapping]]] = ..., progress: _Optional[_Union[Body, _Mapping]] = ..., end: _Optional[_Union[StreamEnd, _Mapping]] = ...) -> None: ...

class StreamEnd(_message.Message):
    __slots__ = ("service_us", "notices")
    SERVICE_US_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    service_us: int
    notices: int
    def __init__(self, service_us: _Optional[int] = ..., notices: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("code", "message", "type", "traceback", "data", "started", "service_us", "notices", "abridged")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_US_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    ABRIDGED_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    type: str
    traceback: str
    data: Body
    started: bool
    service_us: int
    notices: int
    abridged: bool
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., type: _Optional[str] = ..., traceback: _Optional[str] = ..., data: _Optional[_Union[Body, _Mapping]] = ..., started: bool = ..., service_us: _Optional[int] = ..., notices: _Optional[int] = ..., abridged: bool = ...) -> None: ...

class HostBatch(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[HostMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[HostMessage, _Mapping]]] = ...) -> None: ...

class HostMessage(_message.Message):
    __slots__ = ("hello", "credit", "cancel", "session_closed", "shutdown", "ping", "pong", "host_reply")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    SESSION_CLOSED_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    HOST_REPLY_FIELD_NUMBER: _ClassVar[int]
    hello: HostHello
    credit: Credit
    cancel: Cancel
    session_closed: SessionClosed
    shutdown: Shutdown
    ping: Ping
    pong: Pong
    host_reply: HostReply
    def __init__(self, hello: _Optional[_Union[HostHello, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., session_closed: _Optional[_Union[SessionClosed, _Mapping]] = ..., shutdown: _Optional[_Union[Shutdown, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., host_reply: _Optional[_Union[HostReply, _Mapping]] = ...) -> None: ...

class HostHello(_message.Message):
    __slots__ = ("protocol", "codecs", "max_frame_bytes", "max_depth", "stream_credit", "worker_id", "pool", "typed_arrays", "concurrency")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CODECS_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    STREAM_CREDIT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    TYPED_ARRAYS_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    protocol: _containers.RepeatedScalarFieldContainer[int]
    codecs: _containers.RepeatedScalarFieldContainer[str]
    max_frame_bytes: int
    max_depth: int
    stream_credit: int
    worker_id: str
    pool: str
    typed_arrays: bool
    concurrency: int
    def __init__(self, protocol: _Optional[_Iterable[int]] = ..., codecs: _Optional[_Iterable[str]] = ..., max_frame_bytes: _Optional[int] = ..., max_depth: _Optional[int] = ..., stream_credit: _Optional[int] = ..., worker_id: _Optional[str] = ..., pool: _Optional[str] = ..., typed_arrays: bool = ..., concurrency: _Optional[int] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("call", "chunks")
    CALL_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    call: int
    chunks: int
    def __init__(self, call: _Optional[int] = ..., chunks: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("call", "reason")
    CALL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    call: int
    reason: CancelReason
    def __init__(self, call: _Optional[int] = ..., reason: _Optional[_Union[CancelReason, str]] = ...) -> None: ...

class SessionClosed(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class Shutdown(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Ping(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class HostReply(_message.Message):
    __slots__ = ("id", "result", "failure")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    id: int
    result: Body
    failure: Failure
    def __init__(self, id: _Optional[int] = ..., result: _Optional[_Union[Body, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class WorkerBatch(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[WorkerMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[WorkerMessage, _Mapping]]] = ...) -> None: ...

class WorkerMessage(_message.Message):
    __slots__ = ("hello", "progress", "log", "event", "host_call", "ping", "pong", "released", "failure")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    HOST_CALL_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    hello: WorkerHello
    progress: Progress
    log: Log
    event: Event
    host_call: HostCall
    ping: Ping
    pong: Pong
    released: Released
    failure: CallFailure
    def __init__(self, hello: _Optional[_Union[WorkerHello, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., host_call: _Optional[_Union[HostCall, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., released: _Optional[_Union[Released, _Mapping]] = ..., failure: _Optional[_Union[CallFailure, _Mapping]] = ...) -> None: ...

class WorkerHello(_message.Message):
    __slots__ = ("protocol", "codec", "language", "runtime", "sdk", "pid", "silent_while_busy", "typed_arrays", "attachment", "commands", "max_frame_bytes", "stack_signal", "batches")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SILENT_WHILE_BUSY_FIELD_NUMBER: _ClassVar[int]
    TYPED_ARRAYS_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    STACK_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    codec: str
    language: str
    runtime: Software
    sdk: Software
    pid: int
    silent_while_busy: bool
    typed_arrays: bool
    attachment: int
    commands: _containers.RepeatedCompositeFieldContainer[Command]
    max_frame_bytes: int
    stack_signal: str
    batches: bool
    def __init__(self, protocol: _Optional[int] = ..., codec: _Optional[str] = ..., language: _Optional[str] = ..., runtime: _Optional[_Union[Software, _Mapping]] = ..., sdk: _Optional[_Union[Software, _Mapping]] = ..., pid: _Optional[int] = ..., silent_while_busy: bool = ..., typed_arrays: bool = ..., attachment: _Optional[int] = ..., commands: _Optional[_Iterable[_Union[Command, _Mapping]]] = ..., max_frame_bytes: _Optional[int] = ..., stack_signal: _Optional[str] = ..., batches: bool = ...) -> None: ...

class Software(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("name", "kind", "doc", "schema", "batch", "positional", "result", "concurrent")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DOC_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    POSITIONAL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: CommandKind
    doc: str
    schema: str
    batch: Batch
    positional: _containers.RepeatedScalarFieldContainer[str]
    result: str
    concurrent: bool
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[CommandKind, str]] = ..., doc: _Optional[str] = ..., schema: _Optional[str] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., positional: _Optional[_Iterable[str]] = ..., result: _Optional[str] = ..., concurrent: bool = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("max_size", "max_wait_ms", "adaptive")
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    ADAPTIVE_FIELD_NUMBER: _ClassVar[int]
    max_size: int
    max_wait_ms: int
    adaptive: bool
    def __init__(self, max_size: _Optional[int] = ..., max_wait_ms: _Optional[int] = ..., adaptive: bool = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("call", "value")
    CALL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    call: int
    value: Body
    def __init__(self, call: _Optional[int] = ..., value: _Optional[_Union[Body, _Mapping]] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("call", "level", "message", "logger", "fields")
    CALL_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOGGER_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    call: int
    level: str
    message: str
    logger: str
    fields: Body
    def __init__(self, call: _Optional[int] = ..., level: _Optional[str] = ..., message: _Optional[str] = ..., logger: _Optional[str] = ..., fields: _Optional[_Union[Body, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("call", "name", "data")
    CALL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    call: int
    name: str
    data: Body
    def __init__(self, call: _Optional[int] = ..., name: _Optional[str] = ..., data: _Optional[_Union[Body, _Mapping]] = ...) -> None: ...

class HostCall(_message.Message):
    __slots__ = ("id", "call", "method", "args", "traceparent", "tracestate")
    ID_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    call: int
    method: str
    args: Body
    traceparent: str
    tracestate: str
    def __init__(self, id: _Optional[int] = ..., call: _Optional[int] = ..., method: _Optional[str] = ..., args: _Optional[_Union[Body, _Mapping]] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ...) -> None: ...

class Released(_message.Message):
    __slots__ = ("call", "service_us")
    CALL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_US_FIELD_NUMBER: _ClassVar[int]
    call: int
    service_us: int
    def __init__(self, call: _Optional[int] = ..., service_us: _Optional[int] = ...) -> None: ...

class CallFailure(_message.Message):
    __slots__ = ("call", "failure")
    CALL_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    call: int
    failure: Failure
    def __init__(self, call: _Optional[int] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...
