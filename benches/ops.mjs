// What a case asks of a client, in whatever runtime: one line of numbers each time.

/** The client of that name, ready. */
export async function prepare(clients, name, env) {
  return clients[name](env);
}

/** Runs a case once; how long it took, and where it makes many calls how long those took. */
export async function run(client, { op, ...params }) {
  const times = [];
  const begun = performance.now();
  const n = await operations[op](client, params, times);
  const ms = performance.now() - begun;
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  return { n, ms, p50: at(0.5), p99: at(0.99) };
}

const operations = {
  stream: (client, params) => client.stream(params),
  records: (client, params) => client.records(params),
  pingpong: (client, params, times) => client.pingpong(params, times),
  flood: (client, params) => client.flood(params),

  async unary(client, { count, size, inFlight }, times) {
    let left = count;
    let n = 0;
    const one = async () => {
      while (left-- > 0) {
        const begun = performance.now();
        if ((await client.call(size)) >= size) n++;
        times.push(performance.now() - begun);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    return n;
  },

  /** So many streams at once, each of a few messages. */
  async open(client, { count, each, size }) {
    const streams = Array.from({ length: count }, () => client.stream({ count: each, size }));
    return (await Promise.all(streams)).filter((n) => n === each).length;
  },
};
