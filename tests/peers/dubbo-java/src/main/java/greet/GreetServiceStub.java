package greet;

import com.google.protobuf.Message;
import greet.Greet.GreetRequest;
import greet.Greet.GreetResponse;
import java.util.Map;
import org.apache.dubbo.common.URL;
import org.apache.dubbo.common.stream.StreamObserver;
import org.apache.dubbo.rpc.Invoker;
import org.apache.dubbo.rpc.PathResolver;
import org.apache.dubbo.rpc.ServerService;
import org.apache.dubbo.rpc.model.MethodDescriptor.RpcType;
import org.apache.dubbo.rpc.model.ServiceDescriptor;
import org.apache.dubbo.rpc.model.StubMethodDescriptor;
import org.apache.dubbo.rpc.model.StubServiceDescriptor;
import org.apache.dubbo.rpc.protocol.tri.service.SchemaDescriptorRegistry;
import org.apache.dubbo.rpc.stub.BiStreamMethodHandler;
import org.apache.dubbo.rpc.stub.ServerStreamMethodHandler;
import org.apache.dubbo.rpc.stub.StubInvoker;
import org.apache.dubbo.rpc.stub.StubMethodHandler;
import org.apache.dubbo.rpc.stub.StubSuppliers;
import org.apache.dubbo.rpc.stub.UnaryStubMethodHandler;

/** The server's half of what Dubbo's compiler would write for `greet.GreetService`: the protobuf IDL path. */
abstract class GreetServiceStub implements GreetService, ServerService<GreetService> {
    private static final StubServiceDescriptor SERVICE = new StubServiceDescriptor(SERVICE_NAME, GreetService.class);

    static {
        SchemaDescriptorRegistry.addSchemaDescriptor(SERVICE_NAME, Greet.getDescriptor());
        StubSuppliers.addDescriptor(SERVICE_NAME, SERVICE);
        SERVICE.addMethod(method("Greet", RpcType.UNARY));
        SERVICE.addMethod(method("GreetStream", RpcType.BI_STREAM));
        SERVICE.addMethod(method("GreetClientStream", RpcType.CLIENT_STREAM));
        SERVICE.addMethod(method("GreetServerStream", RpcType.SERVER_STREAM));
    }

    private static StubMethodDescriptor method(String name, RpcType type) {
        return new StubMethodDescriptor(
                name,
                GreetRequest.class,
                GreetResponse.class,
                type,
                message -> ((Message) message).toByteArray(),
                message -> ((Message) message).toByteArray(),
                GreetRequest::parseFrom,
                GreetResponse::parseFrom);
    }

    @Override
    public final Invoker<GreetService> getInvoker(URL url) {
        Map<String, StubMethodHandler<?, ?>> handlers = Map.of(
                "Greet", new UnaryStubMethodHandler<GreetRequest, GreetResponse>(this::greet),
                "GreetStream", new BiStreamMethodHandler<>(this::greetStream),
                "GreetClientStream", new BiStreamMethodHandler<>(this::greetClientStream),
                "GreetServerStream", new ServerStreamMethodHandler<>(this::greetServerStream));
        PathResolver paths = url.getOrDefaultFrameworkModel().getDefaultExtension(PathResolver.class);
        handlers.keySet().forEach(name -> paths.addNativeStub("/" + SERVICE_NAME + "/" + name));
        return new StubInvoker<>(this, url, GreetService.class, handlers);
    }

    private void greet(GreetRequest request, StreamObserver<GreetResponse> reply) {
        greetAsync(request).whenComplete((message, failure) -> {
            if (failure != null) {
                reply.onError(failure);
                return;
            }
            reply.onNext(message);
            reply.onCompleted();
        });
    }

    @Override
    public final GreetResponse greet(GreetRequest request) {
        return greetAsync(request).join();
    }

    @Override
    public final ServiceDescriptor getServiceDescriptor() {
        return SERVICE;
    }
}
