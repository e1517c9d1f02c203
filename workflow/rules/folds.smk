"""From a dataset to the folds of a cross-validation, and from their scores to those of all.

results/datasets/<dataset>/split-fold<K>.parquet, audit-fold<K>.tsv, removed-fold<K>.tsv
results/<run>/metrics.json            scores over all folds, and those of each
results/<run>/ro-crate-metadata.json  inputs, models of the folds, settings, software and scores
results/<run>/out_of_fold.parquet     what they were computed from, with the fold of each record
"""

for number in sorted(set(IN_FOLDS.values())):

    rule:
        """Divide a dataset into the folds of a cross-validation, and audit each."""
        name:
            f"split_into_{number}_folds"
        input:
            dataset=lambda wildcards: whole_dataset(wildcards.dataset),
            exclude=lambda wildcards: dataset_role(wildcards.dataset, "exclude"),
            train_also=lambda wildcards: [
                whole_dataset(other)
                for other in STUDY.datasets[wildcards.dataset].train_also
            ],
        output:
            datasets=fold_files("split.parquet", number),
            audits=fold_files("audit.tsv", number),
            removed=fold_files("removed.tsv", number),
        log:
            "logs/split/{dataset}.log",
        benchmark:
            "results/benchmarks/split/{dataset}.tsv"
        wildcard_constraints:
            dataset=any_of([name for name in IN_FOLDS if IN_FOLDS[name] == number]),
        conda:
            "../envs/grubio.yaml"
        threads: 4
        resources:
            mem_mb=growing(4000),
            runtime=growing(480),
        params:
            exclude=lambda wildcards, input: option("--exclude", input.exclude),
            train_also=lambda wildcards, input: option("--train-also", input.train_also),
            settings=lambda wildcards: dataset_options(wildcards, "split"),
            version=VERSION,
        shell:
            """
            grubio split {input.dataset:q} {params.exclude} {params.train_also} \
                --output results/datasets/{wildcards.dataset}/split.parquet \
                --audit results/datasets/{wildcards.dataset}/audit.tsv \
                --removed results/datasets/{wildcards.dataset}/removed.tsv \
                {params.settings} \
                --threads {threads} \
                --log {log:q}
            """


rule pool:
    """Score the folds of a cross-validation together."""
    input:
        metrics=lambda wildcards: expand(
            "results/{run}/metrics.json", run=CROSS_VALIDATIONS[wildcards.cross]
        ),
        models=lambda wildcards: expand(
            "results/{run}/model/model.json", run=CROSS_VALIDATIONS[wildcards.cross]
        ),
        datasets=lambda wildcards: [
            split_file(STUDY.runs[run], "split.parquet")
            for run in CROSS_VALIDATIONS[wildcards.cross]
        ],
        audits=lambda wildcards: [
            split_file(STUDY.runs[run], "audit.tsv")
            for run in CROSS_VALIDATIONS[wildcards.cross]
        ],
    output:
        metrics="results/{cross}/metrics.json",
        folds="results/{cross}/folds.tsv",
        predictions="results/{cross}/out_of_fold.parquet",
    log:
        "logs/pool/{cross}.log",
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        runs=lambda wildcards: expand(
            "results/{run}", run=CROSS_VALIDATIONS[wildcards.cross]
        ),
        datasets=lambda wildcards, input: option("--dataset", input.datasets),
        audits=lambda wildcards, input: option("--audit", input.audits),
        output=subpath(output.metrics, parent=True),
        settings=lambda wildcards: shlex.join(
            as_options(STUDY.runs[CROSS_VALIDATIONS[wildcards.cross][0]].evaluation)
        ),
        device=STUDY.device,
        version=VERSION,
    shell:
        """
        grubio pool {params.runs:q} {params.datasets} {params.audits} \
            --output {params.output:q} \
            {params.settings} \
            --device {params.device} \
            --threads {threads} \
            --log {log:q}
        """


rule report_on_folds:
    """Draw the report of a cross-validation."""
    input:
        scores=rules.pool.output,
        models=rules.pool.input.models,
    output:
        page=report(
            "results/{cross}/report.html",
            caption="../report/run.rst",
            category="Runs",
            labels={"run": "{cross}"},
        ),
    log:
        "logs/report/{cross}.log",
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        run=subpath(output.page, parent=True),
        version=VERSION,
    shell:
        """
        grubio report {params.run:q} \
            --output {output.page:q} \
            --log {log:q}
        """


rule crate_of_folds:
    """Make the folder of a cross-validation an RO-Crate."""
    input:
        scores=rules.pool.output,
        models=rules.pool.input.models,
        report=rules.report_on_folds.output.page,
    output:
        crate="results/{cross}/ro-crate-metadata.json",
    log:
        "logs/crate/{cross}.log",
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        run=subpath(output.crate, parent=True),
        study=lambda wildcards: study_with(CROSS_VALIDATIONS[wildcards.cross]),
        about=CRATE_OPTIONS,
        version=VERSION,
    shell:
        """
        grubio crate {params.run:q} \
            --study {params.study:q} {params.about} \
            --log {log:q}
        """
