package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.Sparkformer;

class AllReduceCommandTest {
  @Test
  void measuresProcessesBesideABareCopy(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("allreduce.json");
    int exit =
        Sparkformer.commandLine()
            .addSubcommand(new Bench())
            .execute(
                "bench",
                "allreduce",
                "--ranks=2",
                "--mib=1",
                "--rounds=2",
                "--warm-up=0",
                "--json=" + json);
    assertEquals(0, exit);
    JsonNode rows = new ObjectMapper().readTree(json.toFile());
    assertEquals(1, rows.size());
    assertEquals(2, rows.get(0).get("ranks").asInt());
    assertEquals(1 << 20, rows.get(0).get("bytes").asInt());
    assertTrue(rows.get(0).get("bus_gbps").asDouble() > 0);
    assertTrue(rows.get(0).get("copy_gbps").asDouble() > 0);
  }
}
