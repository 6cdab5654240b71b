/**
 * The columns of the table: a peer, and a way to it. One file for each family of peers.
 *
 * A column has
 * - `peer`: the name in `xtask/src/peers.rs` of what is called (a server, or the proxy in front of it); `server`: whose
 *   log tells what was seen, unless it is the peer itself; `tonic` is the greeter in the demo server;
 * - `title`, `way`: for the table;
 * - `transport`, `protocol`, `client`: more options of `createClient`; `url(env)`: its base URL;
 * - `kinds`: what can be called at all. With fewer than all: `lacks: { note, shown }`, as in `cannot` below;
 * - `details`: whether the server sends the details of its failures; `prefix`, `failure`, `codec`, `metadata`,
 *   `trailers`, `halfCloses`, `told`: as in `COMMON` of `../scene.mjs`; `closing`: its peer does not answer the close of
 *   a WebSocket;
 * - `routes: { says, comes }`: what comes of a group or version that the server does not have (row `route`): in words,
 *   and, of its name, what `Scene.isError` takes; without `comes` the call is answered;
 * - `names`: how the server writes a field of two words in JSON (row `names`);
 * - `barred: { runtime: { note, shown } }`: runtimes that cannot call the peer at all;
 * - `secure`: only in a page behind TLS; `runtimes`: only in these;
 * - `cells`: rows that go otherwise: `{ cannot: sentence, shown }` where the peer cannot carry it, `{ differs: sentence,
 *   shown }` where it is carried and something is lost that the sentence names. The sentence ends with the place in the
 *   peer's own source that shows why; `shown` is a test that shows the peer doing it, of the row itself unless given,
 *   which then knows by the column what is lost. `kind` and `runtimes` restrict it.
 */
import { allKinds } from "../harness.mjs";
import connect from "./columns/connect.mjs";
import dubboGo from "./columns/dubbo-go.mjs";
import dubboJava from "./columns/dubbo-java.mjs";
import dubboNode from "./columns/dubbo-node.mjs";
import envoy from "./columns/envoy.mjs";
import improbable from "./columns/improbable.mjs";
import tonic from "./columns/tonic.mjs";
import tonicWeb from "./columns/tonic-web.mjs";

export const columns = [
  ...tonic,
  ...dubboGo,
  ...dubboJava,
  ...improbable,
  ...envoy,
  ...connect,
  ...dubboNode,
  ...tonicWeb,
].map((column) => ({
  server: column.peer,
  kinds: allKinds,
  details: true,
  id: `${column.title} / ${column.way}`,
  ...column,
}));
