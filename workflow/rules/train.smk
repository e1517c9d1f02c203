"""From a split dataset to a model.

results/<run>/model/        the model bundle
results/<run>/history.csv   one row per validation

An interrupted job leaves its checkpoints, which are no output, and goes on from them.
"""


rule train:
    """Train the model of a run."""
    input:
        run_dataset,
    output:
        model=multiext(
            "results/{run}/model/", "model.json", "weights.safetensors", "CARD.md"
        ),
        history=report(
            "results/{run}/history.csv",
            caption="../report/history.rst",
            category="Training",
            labels={"run": "{run}"},
        ),
    log:
        "logs/train/{run}.log",
    benchmark:
        "results/benchmarks/train/{run}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=720,
    params:
        output=subpath(output.history, parent=True),
        settings=lambda wildcards: run_options(wildcards, ["model", "training"]),
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio train {input:q} \
            --output {params.output:q} \
            {params.settings} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """
