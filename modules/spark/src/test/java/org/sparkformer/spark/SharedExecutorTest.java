package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;

/** Ranks of one executor hand each other their memory, as those of the driver do in local mode. */
class SharedExecutorTest {
  @TempDir private Path folder;

  @Test
  void ranksOfOneExecutorGiveTheBitsOfOneRank() throws Exception {
    TinyRun.text(folder);
    try (JavaSparkContext context =
        SparkSessions.openContext("shared", Optional.of("local-cluster[1,2,1024]"))) {
      RunSummary one = train(context, "one", 1);
      RunSummary two = train(context, "two", 2);
      assertEquals(2, two.ranks());
      assertEquals(one.weightsSha256(), two.weightsSha256());
    }
  }

  private RunSummary train(JavaSparkContext context, String output, int ranks) throws Exception {
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    TrainingRequest request =
        TinyRun.request(data, folder.resolve(output)).withRanks(OptionalInt.of(ranks));
    return new TrainingDriver(context).train(request, new TinyRun.Log());
  }
}
