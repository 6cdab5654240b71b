/** What all entries have. They differ in where the wasm module comes from. */
export { codeNames, RpcError } from "./error.js";
export { Metadata, type MetadataInit, type MetadataValue } from "./metadata.js";
export type {
  BidiCall,
  Call,
  CallEvent,
  CallKind,
  CallOptions,
  Client,
  ClientOptions,
  ClientStreamCall,
  Code,
  Codec,
  Compression,
  Detail,
  Fault,
  Observer,
  Protocol,
  Receiver,
  Sender,
  ServerStreamCall,
  Status,
  Support,
  TransportName,
  TripleOptions,
  UnaryResponse,
} from "./types.js";
