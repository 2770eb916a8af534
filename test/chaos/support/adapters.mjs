import { fileURLToPath } from 'node:url';

import { node, python } from 'nestjs-snakepit/core';

import { bridgePackages } from '../../../tools/python-packages.mjs';

/** The pools of a group, by language and protocol, for a worker that is there in Python and in JavaScript. */
export function adaptersFor(worker, options = {}) {
  const pathOf = (extension) => fileURLToPath(new URL(`../workers/${worker}.${extension}`, import.meta.url));
  const [py, js] = [
    { module: pathOf('py'), ...options },
    { module: pathOf('js'), ...options },
  ];
  return {
    python: python(py),
    'python zygote': python({ ...py, zygote: true }),
    'python v1': python({ ...py, protocol: 'v1' }),
    'python gRPC': python({ ...py, transport: 'grpc', path: [bridgePackages()] }),
    node: node(js),
    'node v1': node({ ...js, protocol: 'v1' }),
    'node gRPC': node({ ...js, transport: 'grpc' }),
  };
}
