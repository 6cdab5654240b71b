package greet;

import greet.Greet.GreetRequest;
import greet.Greet.GreetResponse;
import java.util.concurrent.CompletableFuture;
import org.apache.dubbo.common.stream.StreamObserver;
import org.apache.dubbo.rpc.model.DubboStub;

/** `greet.GreetService` of demo/proto/greet.proto, as Dubbo's compiler declares it. */
public interface GreetService extends DubboStub {
    String SERVICE_NAME = "greet.GreetService";

    GreetResponse greet(GreetRequest request);

    CompletableFuture<GreetResponse> greetAsync(GreetRequest request);

    StreamObserver<GreetRequest> greetStream(StreamObserver<GreetResponse> replies);

    StreamObserver<GreetRequest> greetClientStream(StreamObserver<GreetResponse> reply);

    void greetServerStream(GreetRequest request, StreamObserver<GreetResponse> replies);
}
