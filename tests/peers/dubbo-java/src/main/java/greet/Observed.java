package greet;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** What the greeter saw of each call, and the server that tells it: the observed log of tests/README.md. */
final class Observed {
    private static final int MAX_CALLS = 10_000;
    private static final long MAX_BYTES = 64 << 20;
    static final int MAX_EVENTS = 2_000;
    private static final long MAX_WAIT_MS = 60_000;
    static final int MAX_ID = 200;

    private final Map<String, Log> logs = new HashMap<>();
    private final Deque<String> oldestFirst = new ArrayDeque<>();
    private final AtomicLong bytes = new AtomicLong();
    final AtomicLong open = new AtomicLong();

    /** The log of one call, made if there is none: a reader may come before its call. */
    synchronized Log log(String id) {
        Log log = logs.get(id);
        if (log != null) {
            return log;
        }
        while (!oldestFirst.isEmpty() && (logs.size() >= MAX_CALLS || bytes.get() > MAX_BYTES)) {
            logs.remove(oldestFirst.removeFirst()).forget();
        }
        log = new Log();
        logs.put(id, log);
        oldestFirst.addLast(id);
        return log;
    }

    /** The events of one call, as JSON. */
    final class Log {
        private final List<String> events = new ArrayList<>();
        private long openedNanos;
        private long size;
        private boolean forgotten;

        /** Adds an event, unless there are `limit` of them already. */
        synchronized void record(int limit, String what, Object detail) {
            if (events.size() >= limit) {
                return;
            }
            long now = System.nanoTime();
            if (events.isEmpty()) {
                openedNanos = now;
            }
            double at = (now - openedNanos) / 1000 / 1000.0;
            Map<String, Object> event = Json.object("n", events.size() + 1, "at", at, "what", what, "detail", detail);
            String text = Json.write(event);
            events.add(text);
            if (!forgotten) {
                size += text.length();
                bytes.addAndGet(text.length());
            }
            notifyAll();
        }

        private synchronized void forget() {
            forgotten = true;
            bytes.addAndGet(-size);
        }

        /** The events after number `after`: at once if there are any, else as soon as there is one or the time is over. */
        private synchronized List<String> after(int after, long waitMs) throws InterruptedException {
            long until = System.nanoTime() + Math.min(waitMs, MAX_WAIT_MS) * 1_000_000;
            while (after >= events.size()) {
                long leftMs = (until - System.nanoTime() + 999_999) / 1_000_000;
                if (leftMs <= 0) {
                    return List.of();
                }
                wait(leftMs);
            }
            return List.copyOf(events.subList(after, events.size()));
        }
    }

    /** Serves the log; the address tells the port. */
    InetSocketAddress serve(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "observed");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/observed/", this::answer);
        server.start();
        return server.getAddress();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String id = exchange.getRequestURI().getPath().substring("/observed/".length());
        exchange.getResponseHeaders().set("access-control-allow-origin", "*");
        exchange.getResponseHeaders().set("cache-control", "no-store");
        exchange.getResponseHeaders().set("content-type", "application/json");
        try (exchange) {
            int status = id.isEmpty() || id.length() > MAX_ID ? 404 : 200;
            String text = status == 404 ? "expected /observed/<call id> or /observed/stats" : tell(exchange, id);
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        } catch (NumberFormatException wrong) {
            exchange.sendResponseHeaders(400, -1);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private String tell(HttpExchange exchange, String id) throws IOException, InterruptedException {
        if (id.equals("stats")) {
            return Json.write(Json.object("open", open.get(), "rss", residentBytes()));
        }
        int after = number(exchange, "after");
        List<String> events = log(id).after(after, number(exchange, "wait"));
        return "{\"events\":[" + String.join(",", events) + "]}";
    }

    private static int number(HttpExchange exchange, String name) {
        String query = exchange.getRequestURI().getQuery();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            if (pair.startsWith(name + "=")) {
                return Integer.parseUnsignedInt(pair.substring(name.length() + 1));
            }
        }
        return 0;
    }

    /** What this process holds in memory; 0 where the system does not say. */
    private static long residentBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        for (String line : Files.exists(status) ? Files.readAllLines(status) : List.<String>of()) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return 0;
    }
}
