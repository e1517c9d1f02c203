"""From a model and its test split to scores.

results/<run>/metrics.json               scores with intervals, baselines, provenance
results/<run>/per_chain.tsv              scores of each chain
results/<run>/confusion.tsv              observed against predicted labels
results/<run>/calibration.tsv            confidence against accuracy
results/<run>/test_predictions.parquet   what the scores were computed from
"""


rule evaluate:
    """Score a run on its test split."""
    input:
        model=rules.train.output.model,
        dataset=run_dataset,
        audit=run_audit,
    output:
        metrics="results/{run}/metrics.json",
        per_chain="results/{run}/per_chain.tsv",
        confusion="results/{run}/confusion.tsv",
        calibration="results/{run}/calibration.tsv",
        predictions="results/{run}/test_predictions.parquet",
    log:
        "logs/evaluate/{run}.log",
    benchmark:
        "results/benchmarks/evaluate/{run}.tsv"
    params:
        model="results/{run}/model",
        output="results/{run}",
        settings=lambda wildcards: run_options(wildcards, ["evaluation"]),
        device=STUDY.device,
        version=VERSION,
    threads: 4
    resources:
        mem_mb=4000,
        runtime=120,
    conda:
        "../envs/grubio.yaml"
    shell:
        """
        grubio evaluate \
            --model {params.model:q} \
            --dataset {input.dataset:q} \
            --audit {input.audit:q} \
            --output {params.output:q} \
            {params.settings} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """
