export function orderTarball(tarball: Buffer): Buffer;
