"""From sources to split datasets.

resources/datasets/<dataset>/   the source files, fetched and checked
results/datasets/<dataset>/     prepared.parquet, split.parquet, audit.tsv, removed.tsv
"""


rule fetch:
    """Fetch and check one source file."""
    input:
        local_source,
    output:
        "resources/{file}",
    log:
        "logs/fetch/{file}.log",
    wildcard_constraints:
        # Other files in resources/ are the user's own.
        file=any_of(path.removeprefix("resources/") for path in SOURCES),
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    params:
        source=source_options,
        version=VERSION,
    shell:
        """
        grubio fetch {params.source} \
            --output {output:q} \
            --log {log:q}
        """


rule prepare:
    """Read and check the records of a dataset."""
    input:
        records=lambda wildcards: dataset_role(wildcards.dataset, "records"),
        annotation=lambda wildcards: dataset_role(wildcards.dataset, "annotation"),
        labels=lambda wildcards: dataset_role(wildcards.dataset, "labels"),
        masks=lambda wildcards: dataset_role(wildcards.dataset, "masks"),
        targets=lambda wildcards: dataset_role(wildcards.dataset, "target-"),
        profiles=lambda wildcards: files_of(dataset_profiles(wildcards)),
    output:
        dataset="results/datasets/{dataset}/prepared.parquet",
        summary="results/datasets/{dataset}/prepared.json",
    log:
        "logs/prepare/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare/{dataset}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        annotation=lambda wildcards, input: option("--annotation", input.annotation),
        labels=lambda wildcards, input: option("--labels", input.labels),
        masks=lambda wildcards, input: option("--masks", input.masks),
        profiles=lambda wildcards: option("--profiles", dataset_profiles(wildcards)),
        targets=target_options,
        settings=lambda wildcards: dataset_options(wildcards, "prepare"),
        version=VERSION,
    shell:
        """
        grubio prepare {input.records:q} {params.annotation} \
            {params.labels} {params.masks} {params.targets} {params.profiles} \
            --output {output.dataset:q} \
            --summary {output.summary:q} \
            {params.settings} \
            --log {log:q}
        """


rule split:
    """Divide a dataset without homologs between the parts, and audit it."""
    input:
        dataset=lambda wildcards: whole_dataset(wildcards.dataset),
        exclude=lambda wildcards: dataset_role(wildcards.dataset, "exclude"),
        train_also=lambda wildcards: [
            whole_dataset(other)
            for other in STUDY.datasets[wildcards.dataset].train_also
        ],
    output:
        dataset="results/datasets/{dataset}/split.parquet",
        audit="results/datasets/{dataset}/audit.tsv",
        removed="results/datasets/{dataset}/removed.tsv",
    log:
        "logs/split/{dataset}.log",
    benchmark:
        "results/benchmarks/split/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(sorted(STUDY.datasets.keys() - IN_FOLDS.keys())),
    conda:
        "../envs/grubio.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        exclude=lambda wildcards, input: option("--exclude", input.exclude),
        train_also=lambda wildcards, input: option("--train-also", input.train_also),
        settings=lambda wildcards: dataset_options(wildcards, "split"),
        version=VERSION,
    shell:
        """
        grubio split {input.dataset:q} {params.exclude} {params.train_also} \
            --output {output.dataset:q} \
            --audit {output.audit:q} \
            --removed {output.removed:q} \
            {params.settings} \
            --threads {threads} \
            --log {log:q}
        """
