package greet;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.apache.dubbo.config.nested.CorsConfig;
import org.apache.dubbo.config.nested.RestConfig;
import org.apache.dubbo.config.nested.TripleConfig;

/** The greeter of tests/README.md on dubbo-java, through Dubbo's own server. */
public final class Main {
    private static final int MAX_MESSAGE = 65 << 20;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        List<String> flags = List.of(arguments);
        // Before anything of Dubbo is touched: it logs to the console otherwise, at length.
        System.setProperty("dubbo.application.logger", "jdk");
        java.util.logging.Logger.getLogger("").setLevel(java.util.logging.Level.OFF);

        Observed observed = new Observed();
        InetSocketAddress log = observed.serve(number(flags, "-observed-port"));
        int port = start(number(flags, "-port"), observed);
        System.out.println("listening on 127.0.0.1:" + port + " observed 127.0.0.1:" + log.getPort());
        if (flags.contains("-exit-on-stdin-eof")) {
            System.in.transferTo(java.io.OutputStream.nullOutputStream());
            Runtime.getRuntime().halt(0);
        }
        Thread.currentThread().join();
    }

    private static int number(List<String> flags, String name) {
        int at = flags.indexOf(name);
        return at < 0 ? 0 : Integer.parseInt(flags.get(at + 1));
    }

    private static int start(int port, Observed observed) throws IOException {
        // Dubbo does not tell which port it was given, so a free one is picked for it.
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
            port = probe.getLocalPort();
        }
        Greeter greeter = new Greeter(observed);
        ApplicationConfig application = new ApplicationConfig("greeter");
        application.setQosEnable(false);
        ProtocolConfig protocol = new ProtocolConfig("tri", port);
        protocol.setHost("127.0.0.1");
        protocol.setTriple(triple());
        DubboBootstrap.getInstance()
                .application(application)
                .registry(new RegistryConfig(RegistryConfig.NO_AVAILABLE))
                .protocol(protocol)
                .service(service(GreetService.class, greeter))
                .service(service(HttpGreetService.class, new HttpGreeter(greeter)))
                .service(service(PlainGreetService.class, new PlainGreeter()))
                .start();
        return port;
    }

    private static TripleConfig triple() {
        TripleConfig triple = new TripleConfig();
        triple.setMaxBodySize(MAX_MESSAGE);
        triple.setMaxResponseBodySize(MAX_MESSAGE);
        CorsConfig cors = new CorsConfig();
        cors.setAllowedOrigins(new String[] {"*"});
        cors.setAllowedMethods(new String[] {"POST"});
        cors.setAllowedHeaders(new String[] {"*"});
        RestConfig rest = new RestConfig();
        rest.setCors(cors);
        triple.setRest(rest);
        return triple;
    }

    private static <T> ServiceConfig<T> service(Class<T> type, T implementation) {
        ServiceConfig<T> service = new ServiceConfig<>();
        service.setInterface(type);
        service.setRef(implementation);
        return service;
    }
}
