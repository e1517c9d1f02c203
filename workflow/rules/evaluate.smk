"""From a model and its test split to scores.

results/<run>/metrics.json               scores with intervals, baselines, provenance
results/<run>/per_chain.tsv              scores of each chain
results/<run>/confusion.tsv              observed against predicted labels
results/<run>/calibration.tsv            confidence against accuracy
results/<run>/classification_report.*    scikit-learn's report on each class, as text and JSON
results/<run>/calibration_curves.tsv     probability against frequency of each class
results/<run>/test_predictions.parquet   what the scores were computed from
results/<run>/speed.json                 how long the test records took to label
"""


rule evaluate:
    """Score a run on its test split."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
        dataset=run_dataset,
        audit=run_audit,
    output:
        metrics="results/{run}/metrics.json",
        per_chain="results/{run}/per_chain.tsv",
        confusion="results/{run}/confusion.tsv",
        calibration="results/{run}/calibration.tsv",
        classes=report(
            "results/{run}/classification_report.txt",
            caption="../report/classes.rst",
            category="Runs",
            labels={"run": "{run}"},
        ),
        classes_data="results/{run}/classification_report.json",
        curves="results/{run}/calibration_curves.tsv",
        predictions="results/{run}/test_predictions.parquet",
        speed="results/{run}/speed.json",
    log:
        "logs/evaluate/{run}.log",
    benchmark:
        "results/benchmarks/evaluate/{run}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=GPUS,
    params:
        model=subpath(input.model, parent=True),
        output=subpath(output.metrics, parent=True),
        settings=lambda wildcards: run_options(wildcards, ["evaluation"]),
        device=STUDY.device,
        version=VERSION,
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
