import { equal, fail, match } from "../assert.mjs";
import { Suite, allServers } from "../harness.mjs";
import { openCallsFallTo } from "../observed.mjs";

/** The guards guard: what they must catch is done here on purpose. And, last of all: nothing is left open. */
export default (suite, env) => {
  suite.scenario("guards / a scenario that fails is reported with its words", async () => {
    match(await failureOf(env, () => fail("these words")), /these words/, "the report");
    match(await failureOf(env, () => Promise.reject(new Error("others"))), /others/, "the report");
  });

  suite.scenario("guards / an unhandled rejection fails its scenario", async () => {
    const careless = () => void Promise.reject(new Error("nobody looked"));
    match(await failureOf(env, careless), /unhandled rejection.*nobody looked/s, "the report");
  });

  suite.scenario("guards / an error thrown in a timer fails its scenario", async () => {
    const careless = () =>
      new Promise((resolve) => {
        setTimeout(() => {
          resolve();
          throw new Error("out of nowhere");
        });
      });
    match(await failureOf(env, careless), /uncaught.*out of nowhere/s, "the report");
  });

  suite.scenario("guards / a socket that stays open fails its scenario", async () => {
    const WebSocket = env.clientOptions.WebSocket ?? globalThis.WebSocket;
    const url = `${env.fakeOrigin.replace("http", "ws")}/silent/tidewire.v1`;
    let socket;
    const careless = () =>
      new Promise((resolve) => {
        socket = new WebSocket(url, "tidewire.v1");
        socket.onopen = resolve;
      });
    match(await failureOf(env, careless), /1 open: ws:.*silent/s, "the report");
    socket.close();
  });

  suite.scenario("guards / a scenario past its limit fails", async () => {
    match(
      await failureOf(env, () => new Promise(() => {}), { limitMs: 50 }),
      /nothing after 50 ms/,
      "the report",
    );
  });

  for (const server of allServers) {
    suite.scenario(`guards / a call left open at ${server} fails its scenario`, async () => {
      let client;
      const careless = async (t) => {
        // A client that the scene does not know, and so does not close.
        client = await env.tidewire.createClient({
          baseUrl: t.baseUrl,
          transport: "fetch",
          ...env.clientOptions,
        });
        Object.assign(t, { kind: "server_stream", client });
        await t.endless();
      };
      match(await failureOf(env, careless, { server }), /at most \d+ open calls/, "the report");
      client.close();
      await openCallsFallTo(0, env.origin, server);
    });

    suite.scenario(`guards / ${server} has no call open in the end`, () =>
      openCallsFallTo(0, env.origin, server),
    );
  }
};

/** The report of a scenario that must fail. */
async function failureOf(env, body, options) {
  const inner = new Suite(env);
  inner.scenario("inner", body, options);
  const { ok, error } = await inner.run("inner");
  equal(ok, false, "whether the scenario passed");
  return error;
}
