interface Decoder {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

/** Base64, padded or not, to bytes; throws where it is none. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  // A module is long, and a loop that runs once is slow.
  if ("fromBase64" in Uint8Array) return (Uint8Array as unknown as Decoder).fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Unpadded, as gRPC sends it. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/=+$/, "");
}
