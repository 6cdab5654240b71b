package greet;

import com.google.protobuf.SourceContext;
import greet.Greet.GreetRequest;
import greet.Greet.GreetResponse;
import java.util.concurrent.CompletableFuture;
import org.apache.dubbo.common.stream.StreamObserver;
import org.apache.dubbo.remoting.http12.rest.Mapping;

/**
 * `greet.GreetService` once more, for JSON and WebSocket: dubbo-java looks for the methods of an IDL service there by
 * their Java names, and so finds none whose name in the IDL starts with a capital. A plain interface has no IDL.
 */
@Mapping("/" + GreetService.SERVICE_NAME)
public interface HttpGreetService {
    @Mapping("/Greet")
    CompletableFuture<GreetResponse> greet(GreetRequest request);

    /** Gives it back: a message with a field of two words. */
    @Mapping("/Echo")
    SourceContext echo(SourceContext context);

    @Mapping("/GreetStream")
    StreamObserver<GreetRequest> greetStream(StreamObserver<GreetResponse> replies);

    @Mapping("/GreetClientStream")
    StreamObserver<GreetRequest> greetClientStream(StreamObserver<GreetResponse> reply);

    @Mapping("/GreetServerStream")
    void greetServerStream(GreetRequest request, StreamObserver<GreetResponse> replies);
}
