package greet;

import java.nio.charset.StandardCharsets;
import org.apache.dubbo.remoting.http12.HttpRequest;
import org.apache.dubbo.rpc.StatusRpcException;
import org.apache.dubbo.rpc.TriRpcStatus;

/**
 * What the metadata of a call asks for (tests/README.md). A browser can give a WebSocket no headers, so the query of
 * the URL counts where there is no header.
 */
record Behaviour(
        boolean neverEnd,
        boolean greetFirst,
        boolean stall,
        long endAfter,
        long failAfter,
        int failCode,
        long afterClose,
        long count,
        int size,
        long delayMs) {

    /** Needs escaping on the wire: a percent sign, quotes and an umlaut. */
    private static final String ASKED_TO_FAIL = "asked to fail: 100% \"grüßt\"";

    private static final long NEVER = Long.MAX_VALUE;
    private static final int MAX_SIZE = 64 << 20;
    /** dubbo-java takes whatever it is given to send, without a limit, so a flood would end in no memory. */
    private static final long MAX_COUNT = 1_000_000;

    static Behaviour of(HttpRequest request) {
        return new Behaviour(
                text(request, "x-never-end") != null,
                text(request, "x-greet-first") != null,
                text(request, "x-stall") != null,
                number(request, "x-end-after", NEVER, 0, NEVER),
                number(request, "x-fail-after", NEVER, 0, NEVER),
                (int) number(request, "x-fail-code", 9, 1, 16),
                number(request, "x-after-close", 0, 0, MAX_COUNT),
                number(request, "x-count", 10, 0, MAX_COUNT),
                (int) number(request, "x-size", 0, 0, MAX_SIZE),
                number(request, "x-delay", 0, 0, 3_600_000));
    }

    /** The metadata of this name, or what the query says. */
    static String text(HttpRequest request, String name) {
        String header = request.header(name);
        return header != null ? header : request.queryParameter(name);
    }

    /** Whether to fail or to end after so many requests. */
    boolean endsAfter(long requests) {
        return requests >= failAfter || requests >= endAfter;
    }

    boolean failsAfter(long requests) {
        return requests >= failAfter;
    }

    StatusRpcException failure() {
        return status(failCode, ASKED_TO_FAIL);
    }

    static StatusRpcException status(int code, String words) {
        return (StatusRpcException) TriRpcStatus.fromCode(code).withDescription(words).asException();
    }

    private static long number(HttpRequest request, String name, long otherwise, long least, long most) {
        String text = text(request, name);
        if (text == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException wrong) {
            // Said below.
        }
        throw status(3, "the metadata `" + name + "` of this call is \"" + text + "\"; the greeter takes a whole number from "
                + least + " to " + most);
    }

    /** `text` with dots behind it, up to the size that was asked for. */
    String padded(String text) {
        int missing = size - text.getBytes(StandardCharsets.UTF_8).length;
        return missing > 0 ? text + ".".repeat(missing) : text;
    }
}
