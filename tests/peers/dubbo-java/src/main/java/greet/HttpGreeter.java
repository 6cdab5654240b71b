package greet;

import com.google.protobuf.SourceContext;
import greet.Greet.GreetRequest;
import greet.Greet.GreetResponse;
import java.util.concurrent.CompletableFuture;
import org.apache.dubbo.common.stream.StreamObserver;

/** The same greeter. */
record HttpGreeter(Greeter greeter) implements HttpGreetService {
    @Override
    public CompletableFuture<GreetResponse> greet(GreetRequest request) {
        return greeter.greetAsync(request);
    }

    @Override
    public SourceContext echo(SourceContext context) {
        return context;
    }

    @Override
    public StreamObserver<GreetRequest> greetStream(StreamObserver<GreetResponse> replies) {
        return greeter.greetStream(replies);
    }

    @Override
    public StreamObserver<GreetRequest> greetClientStream(StreamObserver<GreetResponse> reply) {
        return greeter.greetClientStream(reply);
    }

    @Override
    public void greetServerStream(GreetRequest request, StreamObserver<GreetResponse> replies) {
        greeter.greetServerStream(request, replies);
    }
}
