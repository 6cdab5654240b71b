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
  upload: (client, params) => client.upload(params),

  async unary(client, { count, size, inFlight }, times) {
    let left = count;
    let n = 0;
    const one = async () => {
      while (left-- > 0) if (await timed(client, size, times)) n++;
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    return n;
  },

  /** So many streams at once, each of a few messages. */
  async open(client, { count, each, size }) {
    const streams = Array.from({ length: count }, () => client.stream({ count: each, size }));
    return (await Promise.all(streams)).filter((n) => n === each).length;
  },

  /** Streams that are read, beside one that is not. */
  async beside(client, { count, size, streams }) {
    const stop = await client.stall({ count, size });
    const each = { count: count / streams, size };
    const came = await Promise.all(Array.from({ length: streams }, () => client.stream(each)));
    await stop();
    return came.reduce((sum, n) => sum + n);
  },

  /** Small calls while a request of many messages is on its way. */
  async behind(client, { count, size, small }, times) {
    let sending = true;
    const sent = client.upload({ count, size }).finally(() => (sending = false));
    while (sending) await timed(client, small, times);
    return sent;
  },
};

async function timed(client, size, times) {
  const begun = performance.now();
  const came = await client.call(size);
  times.push(performance.now() - begun);
  return came >= size;
}
