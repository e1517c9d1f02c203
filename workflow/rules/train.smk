"""From a split dataset to a model, trained or combined from trained ones.

results/<run>/model/        the model bundle
results/<run>/history.csv   one row per validation
results/<run>/gradient_reach.tsv   how far the answers for a residue depend on others

An interrupted job leaves its checkpoints, which are not outputs, and resumes from them.
"""


rule train:
    """Train the model of a run."""
    input:
        dataset=run_dataset,
        teacher=run_teacher,
        parent=run_parent,
        motifs=run_motifs,
    output:
        model=multiext(
            "results/{run}/model/",
            "model.json",
            "weights.safetensors",
            "training_sketch.bin",
            "CARD.md",
        ),
        history=report(
            "results/{run}/history.csv",
            caption="../report/history.rst",
            category="Training",
            labels={"run": "{run}"},
        ),
        reach="results/{run}/gradient_reach.tsv",
    log:
        "logs/train/{run}.log",
    benchmark:
        "results/benchmarks/train/{run}.tsv"
    wildcard_constraints:
        run=any_of(TRAINED),
    conda:
        "../envs/grubio.yaml"
    threads: lambda wildcards: max(4, asked_processes(wildcards))
    resources:
        mem_mb=lambda wildcards, attempt: (
            attempt * (2500 + 1500 * asked_processes(wildcards))
        ),
        runtime=growing(720),
        gpu=lambda wildcards: GPUS * asked_processes(wildcards),
    params:
        output=subpath(output.history, parent=True),
        teacher=lambda wildcards, input: option(
            "--teacher", [str(Path(path).parent) for path in input.teacher]
        ),
        parent=parent_option,
        settings=lambda wildcards: run_options(wildcards, ["model", "training"]),
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio train {input.dataset:q} {params.teacher} {params.parent} \
            --output {params.output:q} \
            {params.settings} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """


rule combine:
    """Average the models of several runs."""
    input:
        models=lambda wildcards: expand(
            "results/{run}/model/model.json", run=STUDY.runs[wildcards.run].members
        ),
        dataset=run_dataset,
    output:
        model=multiext(
            "results/{run}/model/",
            "model.json",
            "weights.safetensors",
            "training_sketch.bin",
            "CARD.md",
        ),
        history="results/{run}/history.csv",
        reach="results/{run}/gradient_reach.tsv",
    log:
        "logs/combine/{run}.log",
    wildcard_constraints:
        run=any_of(ENSEMBLES),
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        models=lambda wildcards, input: [
            str(Path(path).parent) for path in input.models
        ],
        output=subpath(output.history, parent=True),
        average=lambda wildcards: (
            "--average-weights" if STUDY.runs[wildcards.run].average_weights else ""
        ),
        # Of the training only the precision of the weights, if it is given.
        settings=lambda wildcards: shlex.join(
            as_options(STUDY.runs[wildcards.run].training, given=True)
        ),
        version=VERSION,
    shell:
        """
        grubio combine {params.models:q} \
            --dataset {input.dataset:q} \
            --output {params.output:q} \
            {params.average} {params.settings} \
            --threads {threads} \
            --log {log:q}
        """
