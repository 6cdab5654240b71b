/** Headers as they cross the border to the core: names and values, a NUL behind each; a text there, its bytes back. */
import { fromBase64, toBase64 } from "./base64.js";
import { Metadata } from "./metadata.js";
import { fieldsOf } from "./protobuf.js";
import type { Detail } from "./types.js";

const DETAILS = "grpc-status-details-bin";

/** User metadata to headers. */
export function pack(metadata: Metadata): string {
  let packed = "";
  for (const [name, value] of metadata) {
    for (const part of [name, typeof value === "string" ? value : toBase64(value)]) {
      // The core refuses the one as it would the other.
      packed += part.replaceAll("\0", "\n") + "\0";
    }
  }
  return packed;
}

/** User metadata, and the details of the status that it came with. */
export interface Unpacked {
  readonly metadata: Metadata;
  readonly details: () => readonly Detail[];
}

/** Headers to user metadata, and the details of the status that they carry: both are read when somebody asks. */
export function unpack(packed: Uint8Array): Unpacked {
  let details: readonly Detail[] = [];
  const metadata = Metadata.later((metadata) => {
    const parts = new TextDecoder().decode(packed).split("\0");
    for (let i = 1; i < parts.length; i += 2) {
      const name = parts[i - 1]!;
      const isBinary = name.endsWith("-bin");
      // Proxies and `fetch` join repeats by commas, which base64 does not have.
      for (const value of isBinary ? parts[i]!.split(",") : [parts[i]!]) {
        try {
          if (name === DETAILS) details = detailsOf(fromBase64(value));
          else if (!/^grpc-(status|message)$/.test(name))
            metadata.append(name, isBinary ? fromBase64(value) : value);
        } catch {
          // What cannot be read hides nothing else.
        }
      }
    }
  });
  // With a value they are longer than the status and the message of most calls.
  const readDetails = () => {
    if (packed.length > DETAILS.length + 5) metadata.has(DETAILS);
    return details;
  };
  return { metadata, details: readDetails };
}

/** Those of a `google.rpc.Status`, whose field 3 are `google.protobuf.Any`s: 1 the type's URL, 2 the value. */
function detailsOf(status: Uint8Array): Detail[] {
  return fieldsOf(status)
    .filter(([number]) => number === 3)
    .map(([, any]) => {
      const fields = new Map(fieldsOf(any));
      return { typeUrl: new TextDecoder().decode(fields.get(1)), value: fields.get(2) ?? new Uint8Array() };
    });
}
