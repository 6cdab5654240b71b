package greet;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.dubbo.common.stream.StreamObserver;

/** A service without IDL: its arguments travel serialized inside Triple's wrapper messages. */
public interface PlainGreetService {
    String greet(String name);

    /** Objects, and two arguments. */
    Card card(Person person, int copies);

    List<String> greetAll(List<String> names);

    /** Throws what it declares (`declared`), or something else. */
    String fail(String how) throws NotGreeted;

    void greetServerStream(String name, StreamObserver<String> replies);

    StreamObserver<String> greetStream(StreamObserver<String> replies);

    /** Somebody. */
    final class Person implements Serializable {
        public String name;
        public int age;
    }

    /** What somebody gets. */
    final class Card implements Serializable {
        public String text;
        public Map<String, Integer> copies;
    }

    /** A checked exception. */
    final class NotGreeted extends Exception {
        public NotGreeted(String message) {
            super(message);
        }
    }
}
