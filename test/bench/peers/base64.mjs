/**
 * Bytes through a pool as JSON text with base64 in it, there and back; what is done where the wire knows no bytes. Native
 * functions do all the work on both sides, and the text itself travels as any string.
 */
export async function callAsBase64(pool, command, bytes) {
  const text = JSON.stringify({ data: bytes.toString('base64') });
  const answer = await pool.execute(command, { text });
  return Buffer.from(JSON.parse(answer).data, 'base64');
}
