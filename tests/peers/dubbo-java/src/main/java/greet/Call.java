package greet;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.dubbo.remoting.http12.HttpHeaders;
import org.apache.dubbo.remoting.http12.HttpRequest;
import org.apache.dubbo.remoting.http12.HttpResponse;
import org.apache.dubbo.remoting.http12.ServerHttpChannelObserver;
import org.apache.dubbo.rpc.CancellationContext;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.StatusRpcException;

/** One call as the greeter sees it: counts, and every event written down exactly once. */
final class Call {
    private static final int OK = 0;
    private static final int CANCELLED = 1;
    private static final int UNKNOWN = 2;

    final Behaviour asked;
    private final Observed observed;
    /** None without x-call-id. */
    private final Observed.Log log;
    private final Map<String, List<String>> echoed = new LinkedHashMap<>();
    private long requests;
    private long replies;
    private boolean ended;

    /** Enters the handler. Throws the status for metadata that the greeter does not take. */
    Call(Observed observed, String method, boolean streams) {
        HttpRequest request = RpcContext.getServiceContext().getRequest(HttpRequest.class);
        this.observed = observed;
        asked = Behaviour.of(request);
        String id = Behaviour.text(request, "x-call-id");
        if (id != null && id.length() > Observed.MAX_ID) {
            throw Behaviour.status(3, "x-call-id: at most " + Observed.MAX_ID + " ASCII characters");
        }
        log = id == null ? null : observed.log(id);
        Map<String, Object> metadata = new LinkedHashMap<>();
        for (String name : request.headerNames()) {
            List<String> values = new ArrayList<>(request.headerValues(name));
            metadata.put(name, values);
            if (name.startsWith("echo-")) {
                echoed.put(name, values);
            }
        }
        String timeout = request.header("grpc-timeout");
        // Whoever reads that it is open may cancel it at once: it is listened for by then.
        synchronized (this) {
            record("open", Json.object("method", method, "timeout", timeout, "metadata", metadata));
            observed.open.incrementAndGet();
            if (streams) {
                listenForCancel();
            }
        }
    }

    /**
     * Listens for the client's leaving; for streams only. The context of a unary call belongs to the thread of its
     * connection and to all calls there: once one of them is cancelled, each later one is from its start.
     */
    private void listenForCancel() {
        CancellationContext cancellation = RpcContext.getCancellationContext();
        cancellation.addListener(context -> cancelled(cancellation.getCancellationCause()));
    }

    /** Sends what is to come back with a stream: repeats are kept. */
    void echo(ServerHttpChannelObserver<?> replies) {
        BiConsumer<HttpHeaders, Throwable> echo = (headers, failure) -> echoed.forEach(
                (name, values) -> values.forEach(value -> headers.add(name, value)));
        replies.addHeadersCustomizer(echo);
        replies.addTrailersCustomizer(echo);
        replies.addTrailersCustomizer((trailers, failure) -> trailers.set("greeted", String.valueOf(requests())));
    }

    /** Sends what is to come back with a unary reply: trailers are Dubbo's attachments, which have one value a name. */
    void echoUnary(long greeted) {
        HttpResponse response = RpcContext.getServiceContext().getResponse(HttpResponse.class);
        echoed.forEach((name, values) -> {
            values.forEach(value -> response.addHeader(name, value));
            RpcContext.getServerResponseContext().setObjectAttachment(name, values.get(values.size() - 1));
        });
        RpcContext.getServerResponseContext().setObjectAttachment("greeted", String.valueOf(greeted));
    }

    synchronized long requests() {
        return requests;
    }

    synchronized boolean isOver() {
        return ended;
    }

    /** Counts a request that was read. */
    synchronized void message(String name) {
        requests++;
        if (requests <= 100 || requests % 1000 == 0) {
            String start = name.substring(0, name.offsetByCodePoints(0, Math.min(64, name.codePointCount(0, name.length()))));
            recordIfRoom("message", Json.object("count", requests, "name", start));
        }
    }

    synchronized void halfClose() {
        record("half-close", Json.object("count", requests));
    }

    /** Counts a reply that was handed to Dubbo. The client may have left by then, which is the last that is told. */
    synchronized void reply() {
        if (ended) {
            return;
        }
        replies++;
        if (replies == 1 || replies % 1000 == 0) {
            recordIfRoom("reply", Json.object("count", replies));
        }
    }

    /** The client has left, in Dubbo's own words. */
    synchronized void cancelled(Throwable cause) {
        if (!ended) {
            record("cancelled", Json.object("error", String.valueOf(cause)));
            end(CANCELLED);
        }
    }

    /** Whether this was the first end. */
    synchronized boolean endOk() {
        return end(OK);
    }

    synchronized boolean endWith(Throwable failure) {
        return end(failure instanceof StatusRpcException wire ? wire.getStatus().code.code : UNKNOWN);
    }

    private boolean end(int code) {
        if (ended) {
            return false;
        }
        ended = true;
        record("end", Json.object("code", code, "count", requests));
        observed.open.decrementAndGet();
        return true;
    }

    private void record(String what, Object detail) {
        if (log != null) {
            log.record(Integer.MAX_VALUE, what, detail);
        }
    }

    private void recordIfRoom(String what, Object detail) {
        if (log != null) {
            log.record(Observed.MAX_EVENTS, what, detail);
        }
    }
}
