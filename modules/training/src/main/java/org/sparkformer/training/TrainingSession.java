package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.sparkformer.data.Split;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.StepClock.Lap;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** The loop over steps on one rank, from a fresh or restored state to the last step. */
final class TrainingSession implements AutoCloseable {
  private final TrainingRun run;
  private final TrainingConfiguration training;
  private final Rank rank;
  private final ModelState state;
  private final RunRecorder recorder;
  private final StepActivity activity;
  private final TrainingStep step;
  private final StepClock clock;
  private final Evaluator evaluator;
  private final long startNanos = System.nanoTime();
  private final double earlierSeconds;
  private final StopAgreement stop;
  private RunProgress progress;
  private boolean told;

  /**
   * @param start what {@code state} stands for
   */
  TrainingSession(
      TrainingRun run, Rank rank, ModelState state, RunProgress start, RunRecorder recorder) {
    this.run = run;
    this.training = run.configuration().training();
    this.rank = rank;
    this.state = state;
    this.recorder = recorder;
    this.activity = new StepActivity(recorder::stuck);
    this.step = new TrainingStep(run, rank, state, start, activity);
    this.clock = step.clock();
    this.evaluator =
        run.hasValidation()
            ? new Evaluator(rank.backend(), run.samples(Split.VALIDATION), training)
            : null;
    this.earlierSeconds = start.wallSeconds();
    this.progress = start;
    this.stop = new StopAgreement(rank.collective(), recorder, start.step());
  }

  /**
   * Runs to the last step, or to the one after which the run was told to stop: the summary tells
   * how many were done.
   *
   * @throws StuckStepException if a step of this rank did not move for too long
   */
  RunSummary run() throws IOException, InterruptedException {
    activity.beginUnlimited("the start");
    rank.collective().watch(activity);
    try {
      return train();
    } catch (IOException | InterruptedException | RuntimeException ending) {
      activity.explain(ending);
      throw ending;
    } finally {
      activity.beginUnlimited("the end of a session");
    }
  }

  private RunSummary train() throws IOException, InterruptedException {
    recorder.started(
        new TrainingStart(
            progress.step(),
            training.steps(),
            rank.collective().size(),
            state.layout().parameterCount(),
            rank.backend().description()));
    clock.resume();
    while (progress.step() < training.steps()) {
      int done = progress.step() + 1;
      afterStep(done, next(done));
      if (done < training.steps() && told) {
        return stopEarly(done);
      }
    }
    RunSummary summary = summary();
    recorder.finished(summary);
    return summary;
  }

  private void beforeUpdate(int done) throws IOException {
    recorder.beforeUpdate();
    activity.begin("asking whether to stop");
    told = stop.isReached(done);
  }

  /** Runs a step; false where its batch was found to be one to skip before. */
  private boolean next(int done) throws IOException, InterruptedException {
    boolean runs = !progress.isSkipped(done);
    boolean updated =
        runs && step.run(done - 1, isLogged(done), this::isSpike, () -> beforeUpdate(done));
    progress = progress.withStep(done);
    if (updated && training.spikeSigma() > 0) {
      progress = progress.withLosses(progress.losses().with(step.loss(), training.spikeWindow()));
    } else if (runs && !updated) {
      skip(done);
    }
    return runs;
  }

  private boolean isSpike(double loss) {
    return progress.losses().isSpike(loss, training.spikeSigma(), training.spikeWindow());
  }

  private void skip(int done) throws IOException, InterruptedException {
    recorder.message(
        "step %d: its loss of %.4f is more than %s deviations of %.4f above the mean of %.4f; its batch is skipped"
            .formatted(
                done,
                step.loss(),
                training.spikeSigma(),
                Math.sqrt(progress.losses().variance()),
                progress.losses().mean()));
    progress = progress.withSkipped(done, done);
    int first = progress.firstSkippedInARow(done);
    if (done - first + 1 >= TrainingConfiguration.SPIKES_IN_A_ROW) {
      // A checkpoint that cannot be written is told of, rather than gone back from.
      settle();
      throw new LossSpikeException(first, done);
    }
  }

  private RunSummary stopEarly(int done) throws IOException, InterruptedException {
    activity.beginUnlimited("the end of a run that was told to stop");
    step.collect();
    clock.pause();
    step.gradientNorm();
    if (!isDue(done, training.checkpointInterval())) {
      checkpoint();
    }
    settle();
    return summary();
  }

  private void afterStep(int done, boolean ran) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("training was interrupted after step " + done);
    }
    settle();
    boolean logs = ran && isLogged(done);
    boolean evaluates = evaluator != null && isDue(done, training.evalInterval());
    boolean checkpoints = isDue(done, training.checkpointInterval());
    if (logs || evaluates || checkpoints) {
      activity.begin("waiting for other ranks' weights");
      step.collect();
      activity.begin("waiting for the device");
      clock.pause();
      double norm = step.gradientNorm();
      if (logs) {
        log(done, norm);
      }
      if (evaluates) {
        evaluate(done);
      }
      if (checkpoints) {
        checkpoint();
      }
      clock.resume();
    }
  }

  /**
   * Before a step counts, the checkpoint of the step before it is committed: a kill costs no more
   * steps that were told of than lie between two checkpoints.
   */
  private void settle() throws IOException, InterruptedException {
    activity.beginUnlimited("the commit of a checkpoint");
    recorder.settle();
  }

  private void checkpoint() throws IOException, InterruptedException {
    activity.beginUnlimited("a checkpoint");
    progress = progress.withWallSeconds(wallSeconds());
    recorder.checkpoint(progress, step.weights());
  }

  private boolean isLogged(int done) {
    return done == 1 || isDue(done, training.logInterval());
  }

  /** Every {@code interval} steps, never for 0, and always at the end. */
  private boolean isDue(int done, int interval) {
    return done == training.steps() || interval > 0 && done % interval == 0;
  }

  private void log(int done, double norm) throws IOException {
    Lap lap = clock.lap();
    long tokensPerStep = (long) training.batchSize() * run.configuration().model().context();
    progress = progress.withLoss(step.loss());
    recorder.step(
        new StepMetrics(
            done,
            step.loss(),
            step.learningRate(done - 1),
            norm,
            done * tokensPerStep,
            tokensPerStep / lap.step() * 1e3,
            lap.step(),
            lap.forward(),
            lap.backward(),
            lap.allReduce(),
            lap.exposed(),
            lap.exposedReduce(),
            lap.dataWait(),
            ofAllRanks(lap.own()),
            progress.skippedSoFar()));
  }

  private List<Double> ofAllRanks(double value) {
    byte[] own = ByteBuffer.allocate(Double.BYTES).putDouble(value).array();
    return rank.collective().allGather(own).stream()
        .map(bytes -> ByteBuffer.wrap(bytes).getDouble())
        .toList();
  }

  private void evaluate(int done) throws IOException {
    double loss = evaluator.scores(step.forwardOnly(), rank.collective(), activity).loss();
    progress = progress.withValLoss(loss);
    recorder.evaluation(new EvaluationMetrics(done, loss));
  }

  private RunSummary summary() {
    Backend backend = rank.backend();
    String digest = step.digest("after step " + progress.step());
    return new RunSummary(
        run.configuration(),
        state.layout().parameterCount(),
        backend.description(),
        rank.collective().size(),
        progress.step(),
        (long) progress.step() * training.batchSize() * run.configuration().model().context(),
        wallSeconds(),
        progress.loss(),
        progress.valLoss(),
        progress.skipped(),
        digest);
  }

  private double wallSeconds() {
    return earlierSeconds + (System.nanoTime() - startNanos) / 1e9;
  }

  @Override
  public void close() {
    step.close();
    if (evaluator != null) {
      evaluator.close();
    }
  }
}
