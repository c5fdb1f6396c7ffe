package org.sparkformer.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sparkformer.opencl.DeviceActivity;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.TracedCommand;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;

/**
 * Listens to a run whose every step is logged: some steps to warm up, then rounds of steps in which
 * the peers take turns with it, then one traced step; then it stops the run.
 */
final class StepRounds implements TrainingListener {
  private static final int WARM_UP = 5;

  private final OpenClBackend backend;
  private final List<PyTorchPeer> peers;
  private final int rounds;
  private final int stepsARound;
  private final List<StepMetrics> steps = new ArrayList<>();
  private final double[][][] peerSteps;
  private DeviceActivity before;
  private DeviceActivity activity;
  private List<TracedCommand> trace;

  StepRounds(OpenClBackend backend, List<PyTorchPeer> peers, int rounds, int stepsARound) {
    this.backend = backend;
    this.peers = peers;
    this.rounds = rounds;
    this.stepsARound = stepsARound;
    this.peerSteps = new double[peers.size()][rounds][];
  }

  @Override
  public void onStep(StepMetrics metrics) {
    int measured = metrics.step() - WARM_UP;
    int last = rounds * stepsARound;
    if (measured > 0 && measured <= last) {
      steps.add(metrics);
    }
    if (measured == 0) {
      before = backend.activity();
    } else if (measured == last + 1) {
      trace = backend.endTrace();
      Thread.currentThread().interrupt();
    } else if (measured > 0 && measured % stepsARound == 0) {
      turn(measured / stepsARound - 1);
    }
    if (measured == last) {
      activity = backend.activity().since(before);
      backend.startTrace();
    }
  }

  private void turn(int round) {
    try {
      for (int peer = 0; peer < peers.size(); peer++) {
        peerSteps[peer][round] = peers.get(peer).steps(stepsARound);
        Rounds.pause();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The measured steps. */
  List<StepMetrics> steps() {
    return steps;
  }

  /** What the measured steps asked of the device. */
  DeviceActivity activity() {
    return activity;
  }

  /** The commands of one further step. */
  List<TracedCommand> trace() {
    return trace;
  }

  /** Milliseconds of a peer's steps. */
  double[] peerSteps(int peer) {
    return Arrays.stream(peerSteps[peer]).flatMapToDouble(Arrays::stream).toArray();
  }

  /** A peer's median step over ours, round by round: above 1 is faster than the peer. */
  double[] ratios(int peer) {
    double[] ratios = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      double[] ours =
          steps.subList(round * stepsARound, (round + 1) * stepsARound).stream()
              .mapToDouble(StepMetrics::stepMs)
              .toArray();
      ratios[round] = Rounds.median(peerSteps[peer][round]) / Rounds.median(ours);
    }
    return ratios;
  }
}
