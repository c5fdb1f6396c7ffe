package org.sparkformer.spark;

import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;

/** Prints what happens in a run, a line each, for the process that started this one. */
abstract class PrintedRun implements TrainingListener {
  @Override
  public void onStart(TrainingStart start) {
    System.out.println("start " + start.step());
  }

  @Override
  public void onStep(StepMetrics metrics) {
    System.out.println("step " + metrics.step());
  }

  @Override
  public void onMessage(String message) {
    System.out.println(message);
  }
}
