package org.sparkformer.app.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/** A made-up run of the shape that training writes. */
final class SampleRun {
  private static final int STEPS = 600;

  private SampleRun() {}

  static void write(Path folder) throws IOException {
    Random random = new Random(3);
    StringBuilder lines = new StringBuilder();
    for (int step = 5; step <= STEPS; step += 5) {
      double loss = 2.6 + 5.2 * Math.exp(-step / 90.0) + 0.08 * random.nextGaussian();
      double rate = step < 50 ? 2e-3 * step / 50 : 1e-3 * (1 + Math.cos(Math.PI * step / STEPS));
      double forward = 90 + 4 * random.nextGaussian();
      double exposed = 6 + 3 * random.nextDouble();
      // Kernels are built in the first step, and the machine is busy in another.
      double late = step == 5 ? 1900 : step == 200 ? 120 : 0;
      double whole = 3 * forward + exposed + 14 + late;
      lines.append(
          String.format(
              Locale.ROOT,
              "{\"step\":%d,\"loss\":%.4f,\"lr\":%.6f,\"grad_norm\":%.3f,\"tokens\":%d,"
                  + "\"tokens_per_second\":%.1f,\"step_ms\":%.2f,\"forward_ms\":%.2f,"
                  + "\"backward_ms\":%.2f,\"allreduce_ms\":%.2f,\"allreduce_exposed_ms\":%.2f,"
                  + "\"data_wait_ms\":%.2f,\"rank_step_ms\":[%.2f,%.2f],\"skipped\":0}%n",
              step,
              loss,
              rate,
              0.4 + 1.5 * Math.exp(-step / 60.0) + 0.1 * random.nextDouble(),
              step * 2048L,
              2048 / whole * 1000,
              whole,
              forward,
              2 * forward,
              4 * exposed,
              exposed,
              0.8,
              whole - exposed,
              whole - exposed / 2));
      if (step % 100 == 0) {
        lines.append(
            String.format(
                Locale.ROOT,
                "{\"step\":%d,\"val_loss\":%.4f}%n",
                step,
                2.7 + 5.2 * Math.exp(-step / 90.0)));
      }
    }
    Files.writeString(folder.resolve("metrics.jsonl"), lines);
    Files.writeString(folder.resolve("run.json"), SUMMARY);
    Files.writeString(folder.resolve("samples.jsonl"), SAMPLES);
  }

  private static final String SUMMARY =
      """
      {"configuration": {"name": "quickstart",
        "model": {"architecture": "bert", "layers": 4, "heads": 4, "width": 128, "context": 64, "vocab_size": 2048, "dropout": 0.0,
          "recompute_activations": false},
        "data": {"input": "definitions.txt", "dataset": null, "tokenizer": "bpe", "text_column": "text",
          "documents": "lines", "validation_fraction": 0.05},
        "training": {"steps": 600, "batch_size": 32, "micro_batch_size": 16, "learning_rate": 0.002,
          "min_learning_rate": 0.0002, "warmup_steps": 50, "precision": "fp32"}},
       "parameters": 1063680, "device": "cpu-haswell-Intel(R) Xeon(R) (PoCL 3.1), 2 parts of 1 unit", "ranks": 2,
       "wall_seconds": 187.4, "loss": 2.61, "val_loss": 2.7066,
       "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
      """;

  private static final String SAMPLES =
      """
      {"step": 300, "prompt": "river:", "text": " a large natural stream of water (larger than a creek)"}
      {"step": 600, "prompt": "music:", "text": " an artistic form of auditory communication; \\"he likes <b>\\""}
      {"step": 600, "prompt": "courage:", "text": " a quality of spirit that enables you to face danger"}
      """;
}
