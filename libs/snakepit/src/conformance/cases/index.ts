import type { CodecName } from '../../codec/index.js';
import type { BridgeProtocol } from '../bridge-program.js';
import type { ConformanceCase } from '../conformance-case.js';
import type { ValueVectors } from '../vectors.js';
import { binary } from './binary.js';
import { calls } from './calls.js';
import { cancel } from './cancel.js';
import { endings } from './endings.js';
import { errors } from './errors.js';
import { garbage } from './garbage.js';
import { handshake } from './handshake.js';
import { host } from './host.js';
import { reports } from './reports.js';
import { stdio } from './stdio.js';
import { streams } from './streams.js';
import { valueCases } from './values.js';

const V2_PROTOCOLS: readonly BridgeProtocol[] = ['v2', 'grpc'];

/** All cases that a protocol has, the values in this codec. */
export function casesOf(protocol: BridgeProtocol, codec: CodecName, vectors: ValueVectors): readonly ConformanceCase[] {
  const all = [
    handshake,
    calls,
    valueCases(vectors, codec),
    errors,
    streams,
    cancel,
    reports,
    host,
    binary,
    garbage,
    endings,
    stdio,
  ].flat();
  return all.filter(({ protocols = V2_PROTOCOLS }) => protocols.includes(protocol));
}
