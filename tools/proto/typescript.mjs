// Turns a .proto file into TypeScript that needs nothing at run time but codec/grpc/wire.ts: for every message two interfaces,
// `encode` and `decode`, and for every service a table as @grpc/grpc-js takes it. What our files do not use is refused.
import protobuf from 'protobufjs';

const WIRE = { varint: 0, double: 1, bytes: 2 };

/** What the functions that read a message call their own. */
const LOCALS = new Set(['wire', 'until', 'tag']);

/** How a field's value is written, by its type in the .proto file. */
const SCALARS = {
  uint32: {
    wire: WIRE.varint,
    type: 'number',
    zero: '0',
    size: (v) => `varintSize(${v})`,
    write: 'varint',
    read: 'varint',
  },
  int32: {
    wire: WIRE.varint,
    type: 'number',
    zero: '0',
    size: (v) => `varintSize(${v})`,
    write: 'varint',
    read: 'int32',
  },
  int64: {
    wire: WIRE.varint,
    type: 'bigint',
    zero: '0n',
    size: (v) => `varint64Size(${v})`,
    write: 'varint64',
    read: 'int64',
  },
  bool: { wire: WIRE.varint, type: 'boolean', zero: 'false', size: () => '1', write: 'bool', read: 'bool' },
  double: { wire: WIRE.double, type: 'number', zero: '0', size: () => '8', write: 'double', read: 'double' },
  string: { wire: WIRE.bytes, type: 'string', zero: "''", size: (v) => `textSize(${v})`, write: 'text', read: 'text' },
  bytes: {
    wire: WIRE.bytes,
    type: 'Buffer',
    init: 'Uint8Array',
    zero: 'NO_BYTES',
    size: (v) => `bytesSize(${v})`,
    write: 'bytes',
    read: 'bytes',
  },
};

/** The unformatted source for one file; `notice` is its first line. */
export function renderTypeScript(source, { notice, wirePath }) {
  const { root, package: packageName } = protobuf.parse(source, new protobuf.Root(), {
    keepCase: false,
    alternateCommentMode: true,
    preferTrailingComment: false,
  });
  root.resolveAll();
  const nested = root.lookup(packageName).nestedArray;
  const enums = allOf(nested, protobuf.Enum);
  const messages = allOf(nested, protobuf.Type);
  const services = nested.filter((entry) => entry instanceof protobuf.Service);
  const body = [
    ...enums.map(renderEnum),
    ...messages.map(renderMessage),
    ...services.map((service) => renderService(service, packageName)),
  ].join('\n');
  return [notice, importsOf(body, wirePath), body].join('\n');
}

function allOf(entries, kind) {
  return entries.flatMap((entry) => [
    ...(entry instanceof kind ? [entry] : []),
    ...(entry instanceof protobuf.Type ? allOf(entry.nestedArray, kind) : []),
  ]);
}

function importsOf(body, wirePath) {
  const helpers = [
    'bytesSize',
    'innerSize',
    'textSize',
    'varint64Size',
    'varintSize',
    'NO_BYTES',
    'WireReader',
    'WireWriter',
  ];
  const used = helpers.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  return `import { ${used.join(', ')} } from '${wirePath}';\n`;
}

function docOf({ comment }) {
  if (!comment) return '';
  return comment.includes('\n') ? `/**\n * ${comment.split('\n').join('\n * ')}\n */\n` : `/** ${comment} */\n`;
}

// --- enums ---------------------------------------------------------------------------------------

/** The values lose the prefix that .proto files give them, which is the enum's own name. */
function renderEnum(type) {
  const prefix = `${type.name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
  const values = Object.entries(type.values).map(([key, value]) => {
    const comment = type.comments[key];
    return `${docOf({ comment })}${key.startsWith(prefix) ? key.slice(prefix.length) : key}: ${value},`;
  });
  return `${docOf(type)}export const ${type.name} = {\n${values.join('\n')}\n} as const;\n`;
}

// --- messages ------------------------------------------------------------------------------------

function renderMessage(type) {
  const fields = type.fieldsArray.map(describeField);
  const { name } = type;
  const takes = fields.length > 0 ? 'message' : '_message';
  return `${docOf(type)}export interface ${name} {
${fields.map((f) => `${f.doc}readonly ${f.name}: ${f.type};`).join('\n')}
}

export interface ${name}Init {
${fields.map((f) => `readonly ${f.name}?: ${f.initType} | undefined;`).join('\n')}
}

function sizeOf${name}(${takes}: ${name}Init): number {
  ${fields.length > 0 ? `let size = 0;\n${fields.map((f) => f.size).join('\n')}\nreturn size;` : 'return 0;'}
}

function write${name}(${takes}: ${name}Init, ${fields.length > 0 ? 'out' : '_out'}: WireWriter): void {
${fields.map((f) => f.write).join('\n')}
}

function read${name}(wire: WireReader, until: number): ${name} {
${fields.map((f) => f.declare).join('\n')}
  while (wire.position < until) {
    const tag = wire.varint();
    switch (tag) {
${fields.map((f) => f.read).join('\n')}
      default:
        wire.skip(tag);
    }
  }
  wire.leave(until);
  return { ${fields.map((f) => f.name).join(', ')} };
}

export function encode${name}(message: ${name}Init): Buffer {
  const out = new WireWriter(sizeOf${name}(message));
  write${name}(message, out);
  return out.buffer;
}

/** @throws ProtocolViolation for bytes that are no such message */
export function decode${name}(bytes: Uint8Array): ${name} {
  return read${name}(new WireReader(bytes), bytes.length);
}
`;
}

function describeField(field) {
  const doc = docOf(field);
  const { name } = field;
  if (LOCALS.has(name)) throw new Error(`${field.fullName}: the generated code has a variable of this name`);
  if (field instanceof protobuf.MapField) return { name, doc, ...mapCode(field) };
  if (field.repeated) return { name, doc, ...listCode(field) };
  return { name, doc, ...singleCode(field) };
}

/** What is known of a value of the field's type, wherever it stands. */
function valueOf(field) {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) return { ...SCALARS.int32, init: 'number' };
  if (resolvedType instanceof protobuf.Type) {
    const { name } = resolvedType;
    return {
      wire: WIRE.bytes,
      message: name,
      type: name,
      init: `${name}Init`,
      size: (v) => `innerSize(sizeOf${name}(${v}))`,
    };
  }
  const scalar = SCALARS[field.type];
  if (!scalar)
    throw new Error(`${field.fullName}: the type '${field.type}' is not known to tools/proto/typescript.mjs`);
  return { init: scalar.type, ...scalar };
}

const tagOf = (id, wire) => id * 8 + wire;
const tagSize = (id) => (id < 16 ? 1 : 2);

function writeValue(value, expression, out = 'out') {
  if (value.message)
    return `${out}.varint(sizeOf${value.message}(${expression}));\nwrite${value.message}(${expression}, ${out});`;
  if (value.write === 'bool') return `${out}.varint(${expression} ? 1 : 0);`;
  return `${out}.${value.write}(${expression});`;
}

function readValue(value) {
  return value.message ? `read${value.message}(wire, wire.end())` : `wire.${value.read}()`;
}

/** A field that is told from one which was left out: an inner message, `optional`, or a member of a oneof. */
function singleCode(field) {
  const value = valueOf(field);
  const { name, id } = field;
  const isOptional = value.message !== undefined || field.partOf !== null || Boolean(field.options?.proto3_optional);
  // A boolean that is not optional is written only where it is true.
  const written = value.type === 'boolean' && !isOptional ? 'out.varint(1);' : writeValue(value, `message.${name}`);
  const given = isOptional ? `message.${name} !== undefined` : givenCode(value, `message.${name}`);
  return {
    type: isOptional ? `${value.type} | undefined` : value.type,
    initType: value.init,
    size: `if (${given}) size += ${tagSize(id)} + ${value.size(`message.${name}`)};`,
    write: `if (${given}) {\nout.varint(${tagOf(id, value.wire)});\n${written}\n}`,
    declare: isOptional
      ? `let ${name}: ${value.type} | undefined;`
      : `let ${name}${value.zero === 'NO_BYTES' ? ': Buffer' : ''} = ${value.zero};`,
    read: `case ${tagOf(id, value.wire)}:\n${name} = ${readValue(value)};\nbreak;`,
  };
}

/** What equals its zero is not sent; -0 does not. */
function givenCode(value, expression) {
  if (value.write === 'bytes') return `${expression} !== undefined && ${expression}.length > 0`;
  if (value.write === 'double') return `${expression} !== undefined && !Object.is(${expression}, 0)`;
  return value.type === 'boolean' || value.type === 'string'
    ? expression
    : `${expression} !== undefined && ${expression} !== ${value.zero}`;
}

function listCode(field) {
  const value = valueOf(field);
  const { name, id } = field;
  const isPacked = value.wire === WIRE.varint;
  const packedSize = `message.${name}.reduce((sum, item) => sum + ${value.size('item')}, 0)`;
  const each = (code) => `for (const item of message.${name} ?? []) {\n${code}\n}`;
  const readOne = `case ${tagOf(id, value.wire)}:\n${name}.push(${readValue(value)});\nbreak;`;
  return {
    type: `readonly ${value.type}[]`,
    initType: `readonly ${value.init}[]`,
    declare: `const ${name}: ${value.type}[] = [];`,
    ...(isPacked
      ? {
          size: `if (message.${name}?.length) size += ${tagSize(id)} + innerSize(${packedSize});`,
          write: `if (message.${name}?.length) {\nout.varint(${tagOf(id, WIRE.bytes)});\nout.varint(${packedSize});\nfor (const item of message.${name}) ${writeValue(value, 'item')}\n}`,
          read: `case ${tagOf(id, WIRE.bytes)}:\nfor (const last = wire.end(); wire.position < last; ) ${name}.push(${readValue(value)});\nbreak;\n${readOne}`,
        }
      : {
          size: each(`size += ${tagSize(id)} + ${value.size('item')};`),
          write: each(`out.varint(${tagOf(id, value.wire)});\n${writeValue(value, 'item')}`),
          read: readOne,
        }),
  };
}

/** A map is a list of messages with a key (1) and a value (2). */
function mapCode(field) {
  if (field.keyType !== 'string')
    throw new Error(`${field.fullName}: only string keys are known to tools/proto/typescript.mjs`);
  const value = valueOf(field);
  const { name, id } = field;
  const entrySize = `2 + textSize(key) + ${value.size('value')}`;
  const each = (code) => `for (const [key, value] of message.${name} ?? []) {\n${code}\n}`;
  return {
    type: `ReadonlyMap<string, ${value.type}>`,
    initType: `ReadonlyMap<string, ${value.init}>`,
    size: each(`size += ${tagSize(id)} + innerSize(${entrySize});`),
    write: each(
      `out.varint(${tagOf(id, WIRE.bytes)});\nout.varint(${entrySize});\nout.varint(${tagOf(1, WIRE.bytes)});\nout.text(key);\n` +
        `out.varint(${tagOf(2, value.wire)});\n${writeValue(value, 'value')}`,
    ),
    declare: `const ${name} = new Map<string, ${value.type}>();`,
    read: `case ${tagOf(id, WIRE.bytes)}: {
      const last = wire.end();
      let key = '';
      let value${value.zero === 'NO_BYTES' ? ': Buffer' : ''} = ${value.zero};
      while (wire.position < last) {
        const part = wire.varint();
        if (part === ${tagOf(1, WIRE.bytes)}) key = wire.text();
        else if (part === ${tagOf(2, value.wire)}) value = ${readValue(value)};
        else wire.skip(part);
      }
      wire.leave(last);
      ${name}.set(key, value);
      break;
    }`,
  };
}

// --- services ------------------------------------------------------------------------------------

function renderService(service, packageName) {
  const methods = service.methodsArray.map((method) => {
    const { name } = method;
    return `${docOf(method)}${name[0].toLowerCase()}${name.slice(1)}: {
      path: '/${packageName}.${service.name}/${name}',
      requestStream: ${Boolean(method.requestStream)},
      responseStream: ${Boolean(method.responseStream)},
      requestSerialize: encode${method.requestType},
      requestDeserialize: decode${method.requestType},
      responseSerialize: encode${method.responseType},
      responseDeserialize: decode${method.responseType},
    },`;
  });
  return `${docOf(service)}export const ${service.name}Service = {\n${methods.join('\n')}\n} as const;\n`;
}
