import type { ChannelOwner, HostCall } from '../../channel/index.js';
import { Relay } from './relay.js';

/** Passes on what a channel tells; what it asks on behalf of a relay it asks on behalf of the call that the relay stands for. */
export function passingOwner(owner: ChannelOwner, others: Partial<ChannelOwner> = {}): ChannelOwner {
  return {
    onLog: (record) => owner.onLog(record),
    onEvent: (name, data) => owner.onEvent(name, data),
    onHostCall: (hostCall) => owner.onHostCall(withOriginal(hostCall)),
    onRoom: (hasRoom) => owner.onRoom(hasRoom),
    onFailed: (failure) => owner.onFailed(failure),
    ...others,
  };
}

function withOriginal(hostCall: HostCall): HostCall {
  const { call } = hostCall;
  return call instanceof Relay ? { ...hostCall, call: call.original } : hostCall;
}
