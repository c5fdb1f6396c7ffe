package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.InputException;
import org.sparkformer.app.configuration.ConfigurationReader;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.opencl.DeviceActivity;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.training.RankTrainer;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingRun;
import org.sparkformer.training.configuration.RunConfiguration;

/** What the host waits for in steps as they are trained, of which few are logged. */
class HostWaitsTest {
  private static final int INTERVAL = 10;
  private static final int CHARACTERS = 65;

  @Test
  void stepsThatAreNotLoggedReadNothingAndHaveOneThrottleEach(@TempDir Path folder)
      throws Exception {
    List<DeviceActivity> logged = new ArrayList<>();
    try (OpenClBackend backend = OpenClBackend.open(DeviceSelector.AUTO)) {
      train(
          folder,
          backend,
          new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
              logged.add(backend.activity());
            }
          });
    }
    DeviceActivity interval = logged.get(2).since(logged.get(1));
    assertEquals(2, interval.reads(), "the loss and the norm of the one that is logged");
    assertEquals(3, interval.waits() - interval.markWaits(), "these and its end");
    assertTrue(interval.markWaits() < INTERVAL, interval::toString);
    assertEquals(0, interval.started() + interval.buffers(), interval::toString);
  }

  private static void train(Path folder, OpenClBackend backend, TrainingListener listener)
      throws Exception {
    RunConfiguration run = configuration();
    Path data = Files.createDirectory(folder.resolve("data"));
    try (TokenDataset dataset =
            SyntheticDataset.write(
                data, SyntheticDataset.tokenizer(run.model().objective(), CHARACTERS), 1 << 16);
        TreeCollective alone =
            new TreeCollective(
                new SummationTree(run.training().microBatches()),
                InProcessTransport.group("test", 0, 1).get(0),
                CollectiveOptions.of("test", 0, Duration.ofMinutes(2)))) {
      RunFolder out =
          RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString());
      new RankTrainer(new TrainingRun(run, dataset, out, false), backend, alone, listener).train();
    }
  }

  private static RunConfiguration configuration() throws InputException {
    return new ConfigurationReader()
        .read(
            "gpt-char",
            List.of(
                "model.layers=2",
                "training.steps=%d".formatted(2 * INTERVAL),
                "training.log_interval=%d".formatted(INTERVAL),
                "training.eval_interval=0",
                "training.checkpoint_interval=0"))
        .bind(CHARACTERS);
  }
}
