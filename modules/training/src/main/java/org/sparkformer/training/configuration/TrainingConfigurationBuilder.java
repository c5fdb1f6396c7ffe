package org.sparkformer.training.configuration;

/** Changes some values of a {@link TrainingConfiguration}; {@link #build} checks the result. */
public final class TrainingConfigurationBuilder {

  private int steps;
  private int batchSize;
  private int microBatchSize;
  private double learningRate;
  private double minLearningRate;
  private int warmupSteps;
  private double weightDecay;
  private double clip;
  private double beta1;
  private double beta2;
  private double epsilon;
  private long seed;
  private Precision precision;
  private Precision wirePrecision;
  private int zeroStage;
  private boolean overlap;
  private int directRanks;
  private int connections;
  private int evalInterval;
  private int evalBatches;
  private int checkpointInterval;
  private int keepCheckpoints;
  private int logInterval;
  private int stepTimeout;
  private int digestInterval;
  private int gradientCheckInterval;
  private double spikeSigma;
  private int spikeWindow;

  TrainingConfigurationBuilder(TrainingConfiguration from) {
    steps = from.steps();
    batchSize = from.batchSize();
    microBatchSize = from.microBatchSize();
    learningRate = from.learningRate();
    minLearningRate = from.minLearningRate();
    warmupSteps = from.warmupSteps();
    weightDecay = from.weightDecay();
    clip = from.clip();
    beta1 = from.beta1();
    beta2 = from.beta2();
    epsilon = from.epsilon();
    seed = from.seed();
    precision = from.precision();
    wirePrecision = from.wirePrecision();
    zeroStage = from.zeroStage();
    overlap = from.overlap();
    directRanks = from.directRanks();
    connections = from.connections();
    evalInterval = from.evalInterval();
    evalBatches = from.evalBatches();
    checkpointInterval = from.checkpointInterval();
    keepCheckpoints = from.keepCheckpoints();
    logInterval = from.logInterval();
    stepTimeout = from.stepTimeout();
    digestInterval = from.digestInterval();
    gradientCheckInterval = from.gradientCheckInterval();
    spikeSigma = from.spikeSigma();
    spikeWindow = from.spikeWindow();
  }

  public TrainingConfigurationBuilder steps(int value) {
    steps = value;
    return this;
  }

  public TrainingConfigurationBuilder batchSize(int value) {
    batchSize = value;
    return this;
  }

  public TrainingConfigurationBuilder microBatchSize(int value) {
    microBatchSize = value;
    return this;
  }

  public TrainingConfigurationBuilder learningRate(double value) {
    learningRate = value;
    return this;
  }

  public TrainingConfigurationBuilder minLearningRate(double value) {
    minLearningRate = value;
    return this;
  }

  public TrainingConfigurationBuilder warmupSteps(int value) {
    warmupSteps = value;
    return this;
  }

  public TrainingConfigurationBuilder weightDecay(double value) {
    weightDecay = value;
    return this;
  }

  public TrainingConfigurationBuilder clip(double value) {
    clip = value;
    return this;
  }

  public TrainingConfigurationBuilder beta1(double value) {
    beta1 = value;
    return this;
  }

  public TrainingConfigurationBuilder beta2(double value) {
    beta2 = value;
    return this;
  }

  public TrainingConfigurationBuilder epsilon(double value) {
    epsilon = value;
    return this;
  }

  public TrainingConfigurationBuilder seed(long value) {
    seed = value;
    return this;
  }

  public TrainingConfigurationBuilder precision(Precision value) {
    precision = value;
    return this;
  }

  public TrainingConfigurationBuilder wirePrecision(Precision value) {
    wirePrecision = value;
    return this;
  }

  public TrainingConfigurationBuilder zeroStage(int value) {
    zeroStage = value;
    return this;
  }

  public TrainingConfigurationBuilder overlap(boolean value) {
    overlap = value;
    return this;
  }

  public TrainingConfigurationBuilder directRanks(int value) {
    directRanks = value;
    return this;
  }

  public TrainingConfigurationBuilder connections(int value) {
    connections = value;
    return this;
  }

  public TrainingConfigurationBuilder evalInterval(int value) {
    evalInterval = value;
    return this;
  }

  public TrainingConfigurationBuilder evalBatches(int value) {
    evalBatches = value;
    return this;
  }

  public TrainingConfigurationBuilder checkpointInterval(int value) {
    checkpointInterval = value;
    return this;
  }

  public TrainingConfigurationBuilder keepCheckpoints(int value) {
    keepCheckpoints = value;
    return this;
  }

  public TrainingConfigurationBuilder logInterval(int value) {
    logInterval = value;
    return this;
  }

  public TrainingConfigurationBuilder stepTimeout(int value) {
    stepTimeout = value;
    return this;
  }

  public TrainingConfigurationBuilder digestInterval(int value) {
    digestInterval = value;
    return this;
  }

  public TrainingConfigurationBuilder gradientCheckInterval(int value) {
    gradientCheckInterval = value;
    return this;
  }

  public TrainingConfigurationBuilder spikeSigma(double value) {
    spikeSigma = value;
    return this;
  }

  public TrainingConfigurationBuilder spikeWindow(int value) {
    spikeWindow = value;
    return this;
  }

  /**
   * @throws IllegalArgumentException when a value is out of range
   */
  public TrainingConfiguration build() {
    return new TrainingConfiguration(
        steps,
        batchSize,
        microBatchSize,
        learningRate,
        minLearningRate,
        warmupSteps,
        weightDecay,
        clip,
        beta1,
        beta2,
        epsilon,
        seed,
        precision,
        wirePrecision,
        zeroStage,
        overlap,
        directRanks,
        connections,
        evalInterval,
        evalBatches,
        checkpointInterval,
        keepCheckpoints,
        logInterval,
        stepTimeout,
        digestInterval,
        gradientCheckInterval,
        spikeSigma,
        spikeWindow);
  }
}
