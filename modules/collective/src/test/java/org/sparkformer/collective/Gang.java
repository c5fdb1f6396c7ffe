package org.sparkformer.collective;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Runs one thread a rank over in-process transports and collects what each returned or threw. */
final class Gang {
  private static final AtomicInteger RUNS = new AtomicInteger();

  private Gang() {}

  /** What a rank came to: a value or an exception. */
  record Outcome<T>(T value, Throwable failure) {
    String message() {
      return String.valueOf(failure == null ? null : failure.getMessage());
    }
  }

  static String newRun() {
    return "test-run-" + RUNS.incrementAndGet();
  }

  static CollectiveOptions options(String run, Duration timeout) {
    return CollectiveOptions.of(run, 0, timeout).withChunkBytes(1 << 14);
  }

  /** All ranks must succeed. */
  static <T> List<T> run(int leaves, int size, Function<Collective, T> work) {
    return run(leaves, size, ExchangeRule.DEFAULT, work);
  }

  static <T> List<T> run(int leaves, int size, ExchangeRule rule, Function<Collective, T> work) {
    CollectiveOptions options = options(newRun(), Duration.ofSeconds(60)).withRule(rule);
    List<Outcome<T>> outcomes =
        outcomes(
            InProcessTransport.group(options.runId(), 0, size),
            transport -> new TreeCollective(new SummationTree(leaves), transport, options),
            work);
    List<T> values = new ArrayList<>();
    for (Outcome<T> outcome : outcomes) {
      if (outcome.failure() != null) {
        throw new AssertionError("a rank failed", outcome.failure());
      }
      values.add(outcome.value());
    }
    return values;
  }

  static <T> List<Outcome<T>> outcomes(
      List<? extends Transport> transports,
      Function<Transport, Collective> connect,
      Function<Collective, T> work) {
    ExecutorService threads = Executors.newFixedThreadPool(transports.size());
    try {
      List<Future<T>> futures = new ArrayList<>();
      for (Transport transport : transports) {
        futures.add(
            threads.submit(
                () -> {
                  try (Collective collective = connect.apply(transport)) {
                    return work.apply(collective);
                  }
                }));
      }
      List<Outcome<T>> outcomes = new ArrayList<>();
      for (Future<T> future : futures) {
        outcomes.add(outcome(future));
      }
      return outcomes;
    } finally {
      threads.shutdownNow();
    }
  }

  private static <T> Outcome<T> outcome(Future<T> future) {
    try {
      return new Outcome<>(future.get(120, TimeUnit.SECONDS), null);
    } catch (ExecutionException failed) {
      return new Outcome<>(null, failed.getCause());
    } catch (InterruptedException | TimeoutException hung) {
      throw new AssertionError("a rank hangs", hung);
    }
  }
}
