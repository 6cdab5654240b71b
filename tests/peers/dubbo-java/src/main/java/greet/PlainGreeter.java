package greet;

import java.util.List;
import java.util.Map;
import org.apache.dubbo.common.stream.StreamObserver;

/** The greeter without IDL. */
final class PlainGreeter implements PlainGreetService {
    @Override
    public String greet(String name) {
        return "Hello, " + name;
    }

    @Override
    public Card card(Person person, int copies) {
        Card card = new Card();
        card.text = "Hello, " + person.name + " (" + person.age + ")";
        card.copies = Map.of(person.name, copies);
        return card;
    }

    @Override
    public List<String> greetAll(List<String> names) {
        return names.stream().map(this::greet).toList();
    }

    @Override
    public String fail(String how) throws NotGreeted {
        if (how.equals("declared")) {
            throw new NotGreeted("nobody greets 100% of \"grüßt\"");
        }
        throw new IllegalStateException(how);
    }

    @Override
    public void greetServerStream(String name, StreamObserver<String> replies) {
        for (int n = 1; n <= 3; n++) {
            replies.onNext(greet(name) + " " + n);
        }
        replies.onCompleted();
    }

    @Override
    public StreamObserver<String> greetStream(StreamObserver<String> replies) {
        return new StreamObserver<>() {
            @Override
            public void onNext(String name) {
                replies.onNext(greet(name));
            }

            @Override
            public void onError(Throwable left) {}

            @Override
            public void onCompleted() {
                replies.onCompleted();
            }
        };
    }
}
