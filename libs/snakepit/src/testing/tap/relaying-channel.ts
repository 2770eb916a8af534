import { setImmediate } from 'node:timers';

import type { CallId, Channel, ChannelCall, WorkerManifest } from '../../channel/index.js';
import type { Relay } from './relay.js';

/** Who stands for the calls of one worker. */
export interface RelayMaker {
  /** @throws SnakepitError to refuse the call as the channel's `send` does */
  relayOf(call: ChannelCall): Relay;
  /** The channel is not used any more. */
  onAbandoned(): void;
}

interface Entry {
  readonly relay: Relay;
  /** Its number in the channel below; undefined while it has not been sent there. */
  inner: CallId | undefined;
}

/** A channel in front of another: each call goes through a relay. */
export class RelayingChannel implements Channel {
  readonly manifest: WorkerManifest;
  readonly maxInFlight: number;
  readonly pipelineBudgetUs: number;
  readonly #inner: Channel;
  readonly #maker: RelayMaker;
  readonly #entries = new Map<CallId, Entry>();
  #lastId = 0;

  /** @param manifest what it says of the worker; by default what the worker says */
  constructor(inner: Channel, maker: RelayMaker, manifest = inner.manifest) {
    this.#inner = inner;
    this.#maker = maker;
    this.manifest = manifest;
    this.maxInFlight = inner.maxInFlight;
    this.pipelineBudgetUs = inner.pipelineBudgetUs;
  }

  get inFlight(): number {
    return this.#entries.size;
  }

  get lastHeardAt(): number {
    return this.#inner.lastHeardAt;
  }

  callsInFlight(): readonly ChannelCall[] {
    return [...this.#entries.values()].map(({ relay }) => relay.original);
  }

  send(call: ChannelCall, nowMs: number): CallId {
    const relay = this.#maker.relayOf(call);
    const entry: Entry = { relay, inner: undefined };
    this.#lastId += 1;
    const id = this.#lastId;
    relay.port = {
      pass: () => void (entry.inner = this.#inner.send(relay, nowMs)),
      onSettled: () => void this.#entries.delete(id),
    };
    if (relay.answersItself) setImmediate(() => relay.isSettled || relay.begin());
    else entry.inner = this.#inner.send(relay, nowMs);
    this.#entries.set(id, entry);
    return id;
  }

  cancel(id: CallId, reason: 'caller' | 'deadline'): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return true;
    if (entry.relay.cancel(reason)) {
      // The channel's owner is in the midst of settling it.
      setImmediate(() => entry.relay.isSettled || entry.relay.cancelled());
      return true;
    }
    return entry.inner !== undefined && this.#inner.cancel(entry.inner, reason);
  }

  grant(id: CallId, chunks: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.inner === undefined) entry.relay.grant(chunks);
    else this.#inner.grant(entry.inner, chunks);
  }

  ping(): boolean {
    return this.#inner.ping();
  }

  sessionClosed(sessionId: string): void {
    this.#inner.sessionClosed(sessionId);
  }

  shutdown(): void {
    this.#inner.shutdown();
  }

  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }> {
    const unwritten = new Set<ChannelCall>();
    for (const { call, wasWritten } of this.#inner.abandon()) if (!wasWritten) unwritten.add(call);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#maker.onAbandoned();
    return entries.map(({ relay }) => {
      relay.lost();
      return { call: relay.original, wasWritten: !unwritten.has(relay) };
    });
  }
}
