/** What a build of the core is to those who call it. */
import type { RawClient } from "./generated/tidewire_bg.js";

/** The core's client class, with the module behind it. */
export type Load = (compiled: () => WebAssembly.Module) => typeof RawClient;

/** Instantiates the module for the first client, synchronously, from what the entry has. */
export function loader(
  Client: typeof RawClient,
  imports: WebAssembly.Imports,
  connect: (exports: WebAssembly.Exports) => void,
  start: (exports: WebAssembly.Exports) => void,
): Load {
  let ready = false;
  return (compiled) => {
    if (!ready) {
      const { exports } = new WebAssembly.Instance(compiled(), imports);
      connect(exports);
      start(exports);
      ready = true;
    }
    return Client;
  };
}
