package greet;

import greet.Greet.GreetRequest;
import greet.Greet.GreetResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.common.stream.StreamObserver;
import org.apache.dubbo.remoting.http12.ServerHttpChannelObserver;
import org.apache.dubbo.rpc.StatusRpcException;
import org.apache.dubbo.rpc.protocol.tri.observer.CallStreamObserver;

/** greet.GreetService, behaving as its metadata asks. Nothing here blocks: what never ends is just not completed. */
final class Greeter extends GreetServiceStub {
    /** The longest list of names that a client stream gets back. */
    private static final int MAX_JOINED = 1 << 20;

    private static final StreamObserver<GreetRequest> NOTHING = new StreamObserver<>() {
        @Override
        public void onNext(GreetRequest request) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    };

    private final Observed observed;
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "greeter");
        thread.setDaemon(true);
        return thread;
    });

    Greeter(Observed observed) {
        this.observed = observed;
    }

    @Override
    public CompletableFuture<GreetResponse> greetAsync(GreetRequest request) {
        CompletableFuture<GreetResponse> reply = new CompletableFuture<>();
        Call call = new Call(observed, "Greet", false);
        boolean unread = call.asked.failsAfter(0);
        call.echoUnary(unread ? 0 : 1);
        if (unread) {
            fail(call, reply);
            return reply;
        }
        call.message(request.getName());
        // From another thread the trailers of a unary reply are lost now and then, so only a delay is worth one.
        if (call.asked.delayMs() == 0) {
            answer(call, request, reply);
        } else {
            later.schedule(() -> answer(call, request, reply), call.asked.delayMs(), TimeUnit.MILLISECONDS);
        }
        return reply;
    }

    private static void answer(Call call, GreetRequest request, CompletableFuture<GreetResponse> reply) {
        if (call.asked.failsAfter(1)) {
            fail(call, reply);
        } else if (!call.asked.neverEnd() && !call.asked.stall() && !call.isOver()) {
            call.reply();
            if (call.endOk()) {
                reply.complete(hello(request.getName()));
            }
        }
    }

    private static void fail(Call call, CompletableFuture<GreetResponse> reply) {
        RuntimeException failure = call.asked.failure();
        if (call.endWith(failure)) {
            reply.completeExceptionally(failure);
        }
    }

    @Override
    public StreamObserver<GreetRequest> greetStream(StreamObserver<GreetResponse> replies) {
        Stream stream = open("GreetStream", replies);
        if (stream == null) {
            return NOTHING;
        }
        if (stream.call.asked.greetFirst()) {
            stream.send(GreetResponse.newBuilder().setGreeting("Welcome").build());
        }
        stream.begin();
        return new Requests(stream) {
            @Override
            void read(GreetRequest request) {
                stream.send(hello(request.getName()));
            }

            @Override
            void halfClosed() {
                for (long n = 1; n <= stream.call.asked.afterClose() && !stream.call.isOver(); n++) {
                    stream.send(GreetResponse.newBuilder().setGreeting("Goodbye " + n).build());
                }
                stream.endUnlessAskedToStay();
            }
        };
    }

    @Override
    public StreamObserver<GreetRequest> greetClientStream(StreamObserver<GreetResponse> reply) {
        Stream stream = open("GreetClientStream", reply);
        if (stream == null) {
            return NOTHING;
        }
        StringBuilder names = new StringBuilder();
        stream.beforeEnd = () -> stream.send(hello(names.toString()));
        stream.begin();
        return new Requests(stream) {
            @Override
            void read(GreetRequest request) {
                join(names, request.getName());
            }

            @Override
            void halfClosed() {
                stream.endUnlessAskedToStay();
            }
        };
    }

    @Override
    public void greetServerStream(GreetRequest request, StreamObserver<GreetResponse> replies) {
        Stream stream = open("GreetServerStream", replies);
        if (stream == null) {
            return;
        }
        Behaviour asked = stream.call.asked;
        if (asked.failsAfter(0)) {
            stream.fail();
            return;
        }
        stream.call.message(request.getName());
        if (asked.stall()) {
            return;
        }
        for (long n = 1; n <= asked.count() && !stream.call.isOver(); n++) {
            String greeting = asked.padded("Hello, " + request.getName() + " " + n);
            stream.send(GreetResponse.newBuilder().setGreeting(greeting).build());
        }
        if (asked.failsAfter(1)) {
            stream.fail();
        } else {
            stream.endUnlessAskedToStay();
        }
    }

    /** None where the metadata is wrong, and the client told: what is thrown here reaches it without its code. */
    private Stream open(String method, StreamObserver<GreetResponse> replies) {
        try {
            return new Stream(new Call(observed, method, true), replies);
        } catch (StatusRpcException wrong) {
            replies.onError(wrong);
            return null;
        }
    }

    /** The server's side of a stream. */
    private static final class Stream {
        final Call call;
        private final StreamObserver<GreetResponse> replies;
        /** What is due when the stream ends well. */
        Runnable beforeEnd = () -> {};

        Stream(Call call, StreamObserver<GreetResponse> replies) {
            this.call = call;
            this.replies = replies;
            call.echo((ServerHttpChannelObserver<?>) (Object) replies);
            if (call.asked.stall()) {
                ((CallStreamObserver<?>) (Object) replies).disableAutoFlowControl();
            }
        }

        /** Ends at once if that was asked for. */
        void begin() {
            if (!call.asked.stall()) {
                endIfAsked();
            }
        }

        void endIfAsked() {
            if (call.asked.failsAfter(call.requests())) {
                fail();
            } else if (call.asked.endsAfter(call.requests())) {
                endUnlessAskedToStay();
            }
        }

        void send(GreetResponse reply) {
            replies.onNext(reply);
            call.reply();
        }

        void fail() {
            RuntimeException failure = call.asked.failure();
            if (call.endWith(failure)) {
                replies.onError(failure);
            }
        }

        void endUnlessAskedToStay() {
            if (call.asked.neverEnd() || call.isOver()) {
                return;
            }
            beforeEnd.run();
            if (call.endOk()) {
                replies.onCompleted();
            }
        }
    }

    /** The client's side of a stream. Dubbo calls it from one thread at a time, but for `onError`. */
    private abstract static class Requests implements StreamObserver<GreetRequest> {
        private final Stream stream;

        Requests(Stream stream) {
            this.stream = stream;
        }

        abstract void read(GreetRequest request);

        abstract void halfClosed();

        @Override
        public final void onNext(GreetRequest request) {
            if (stream.call.isOver() || stream.call.asked.stall()) {
                return;
            }
            stream.call.message(request.getName());
            read(request);
            stream.endIfAsked();
        }

        @Override
        public final void onCompleted() {
            if (!stream.call.isOver() && !stream.call.asked.stall()) {
                stream.call.halfClose();
                halfClosed();
            }
        }

        @Override
        public final void onError(Throwable failure) {
            stream.call.cancelled(failure);
        }
    }

    private static GreetResponse hello(String name) {
        return GreetResponse.newBuilder().setGreeting("Hello, " + name).build();
    }

    /** Appends to `<name>, <name>, …`, up to MAX_JOINED: a client may stream names for ever. */
    private static void join(StringBuilder names, String name) {
        if (names.length() > MAX_JOINED) {
            return;
        }
        if (!names.isEmpty()) {
            names.append(", ");
        }
        names.append(names.length() + name.length() > MAX_JOINED ? "…" + " ".repeat(MAX_JOINED) : name);
    }
}
