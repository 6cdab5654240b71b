import init, { run } from "conformance-rust";
import { answerBy, settings } from "./line.mjs";

const { gateway } = await settings();
// After a panic nothing of the module can be relied on: the page starts anew, and its cases end.
addEventListener("error", ({ error }) => error instanceof WebAssembly.RuntimeError && location.reload());
await init({ module_or_path: "/rust.wasm" });

answerBy((request) => run(request, gateway));
