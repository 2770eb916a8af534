import type { ChannelCall, ChannelOwner, HostCall } from '../../channel/index.js';
import { Relay } from './relay.js';

/** Passes on what a channel tells; what it asks on behalf of a relay it asks on behalf of the call that the relay stands for. */
export function passingOwner(owner: ChannelOwner, others: Partial<ChannelOwner> = {}): ChannelOwner {
  return {
    traffic: owner.traffic,
    onLog: (record, call, id) => owner.onLog(record, originalOf(call), id),
    onEvent: (name, data, call) => owner.onEvent(name, data, originalOf(call)),
    onHostCall: (hostCall) => owner.onHostCall(withOriginal(hostCall)),
    onRoom: (hasRoom) => owner.onRoom(hasRoom),
    onFailed: (failure) => owner.onFailed(failure),
    ...others,
  };
}

function withOriginal(hostCall: HostCall): HostCall {
  return { ...hostCall, call: originalOf(hostCall.call) };
}

function originalOf(call: ChannelCall | undefined): ChannelCall | undefined {
  return call instanceof Relay ? call.original : call;
}
