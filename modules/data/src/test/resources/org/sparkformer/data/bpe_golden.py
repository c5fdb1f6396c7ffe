"""Writes bpe-golden.json: what the Hugging Face tokenizers library (0.23.3) learns from multilingual.txt.

Run in this folder: pip install tokenizers==0.23.3 && python3 bpe_golden.py
"""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=900,
    min_frequency=1,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
# newline="" keeps carriage returns; the text is one sequence, so that pieces may hold line feeds.
text = open("multilingual.txt", encoding="utf-8", newline="").read()
tokenizer.train_from_iterator([text], trainer)
tokenizer.save("bpe-golden.json")
