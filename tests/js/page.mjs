import { guardPage } from "./guards.mjs";
import { buildSuite } from "./suite.mjs";

const guards = guardPage();

/** For the driver. `settings`: runtime, and fakeOrigin and refusedOrigin, or peers. */
globalThis.prepare = async (settings) => {
  const env = {
    ...settings,
    guards,
    origin: location.origin,
    secure: location.protocol === "https:",
    tidewire: await import("/tidewire/index.js"),
    slim: () => import("/tidewire/slim.js"),
    blocks: () => import("./blocks.mjs"),
    clientOptions: {},
    // Put there by the driver where it can look at the page's process from outside.
    memory: globalThis.residentMemory,
  };
  const suite = await buildSuite(env);
  globalThis.runScenario = (name) => suite.run(name);
  return { scenarios: suite.list(), leftOut: [...suite.leftOut] };
};
