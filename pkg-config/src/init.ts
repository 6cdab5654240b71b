/**
 * The package without the wasm module inside, for those who load `tidewire/tidewire_bg.wasm` their own way: by streaming
 * compilation, from a CDN, from a bundler that gives its URL.
 */
import { TidewireClient } from "./client.js";
import { FAILED_PRECONDITION, failure, FAULT_MISUSE } from "./error.js";
import { id } from "./generated/imports.js";
import type { Client, ClientOptions } from "./types.js";
import { load } from "./wasm.js";

export * from "./api.js";

/** What the module can be made of. A URL is fetched; a response is compiled while it arrives. */
export type ModuleSource = WebAssembly.Module | Response | BufferSource | URL | string;

let given: Promise<WebAssembly.Module> | undefined;

/**
 * Says where the module comes from; it is to be the `tidewire_bg.wasm` of this very version. Clients wait for it, so the
 * promise need not be awaited. It rejects, as `createClient` does, if there is no such module; one may try again then.
 * After the first client it has no effect.
 */
export function init(source: ModuleSource | Promise<ModuleSource>): Promise<void> {
  given = compile(source).then(ours);
  const ready = given.then(() => {});
  ready.catch(() => {});
  return ready;
}

/** As in the other entries, once the module is there. */
export async function createClient(options: ClientOptions): Promise<Client> {
  if (!given) {
    const words =
      "tidewire/init has no module yet: call init(fetch(url of tidewire_bg.wasm)) before createClient";
    throw failure(FAILED_PRECONDITION, words, FAULT_MISUSE);
  }
  const compiled = await given;
  return new TidewireClient(load, () => compiled, options);
}

/** The names in a module are short, so that another build's would fit and not work. */
function ours(compiled: WebAssembly.Module): WebAssembly.Module {
  const [section] = WebAssembly.Module.customSections(compiled, "");
  if (section && String(new Uint8Array(section)) === id) return compiled;
  throw new Error(
    "this wasm module is not the tidewire_bg.wasm of this version of tidewire: deploy both together",
  );
}

async function compile(promised: ModuleSource | Promise<ModuleSource>): Promise<WebAssembly.Module> {
  const source = await promised;
  if (typeof source === "string" || source instanceof URL) return compile(fetch(source));
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source))
    return WebAssembly.compile(source as BufferSource);
  // A module may come from another realm, where `instanceof` says nothing.
  if (!("arrayBuffer" in source)) return source;
  const type = source.headers.get("content-type") ?? "none";
  try {
    if (!source.ok) throw new Error(`HTTP status ${source.status}`);
    // Streaming wants the right type; not every server has it.
    const streams = type.startsWith("application/wasm") && "compileStreaming" in WebAssembly;
    return await (streams
      ? WebAssembly.compileStreaming(source)
      : WebAssembly.compile(await source.arrayBuffer()));
  } catch (cause) {
    const words = `expected tidewire_bg.wasm at ${source.url}, got content type ${type}: ${(cause as Error).message}`;
    throw new Error(words, { cause });
  }
}
