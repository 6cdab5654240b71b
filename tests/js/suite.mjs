import { Suite } from "./harness.mjs";

const themes = [
  "happy",
  "metadata",
  "triple",
  "half-close",
  "cancel",
  "deadline",
  "never-ends",
  "server-ends",
  "compression",
  "limits",
  "observer",
  "capability",
  "slim",
  "batch",
  "faults-http",
  "faults-websocket",
  "load",
  "pressure",
  "guards",
];

/** Every scenario that `env` can run. The page behind TLS runs those that need it, and only those. */
export async function buildSuite(env) {
  const suite = new Suite(env);
  if (env.peers) {
    const { addTable } = await import("./interop/table.mjs");
    addTable(suite, env);
    return suite;
  }
  if (env.rust) {
    const { addRust } = await import("./rust/suite.mjs");
    await addRust(suite, env);
    return suite;
  }
  for (const theme of env.themes ?? (env.secure ? ["tls"] : themes)) {
    const { default: add } = await import(`./scenarios/${theme}.mjs`);
    add(suite, env);
  }
  return suite;
}
