"""From scores to what people read.

results/<run>/report.html               one page per run
results/<run>/predictor.html            its model, which labels in the browser (report.page)
results/<run>/ro-crate-metadata.json    inputs, checksums, settings, software and scores of a run
results/<run>/model/README.md           model card with the head of Hugging Face's hub
results/comparison.{tsv,svg,html,json}  all runs side by side
results/comparison.groups.{tsv,svg}     mean and spread over runs that differ in their seed alone
results/comparison.tests.tsv            paired tests between such groups
"""


rule page:
    """Write the model of a run as a page that labels in the browser."""
    input:
        model="results/{run}/model/model.json",
        weights="results/{run}/model/weights.safetensors",
    output:
        page="results/{run}/predictor.html",
    log:
        "logs/page/{run}.log",
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        model=subpath(input.model, parent=True),
        version=VERSION,
    shell:
        """
        grubio page \
            --model {params.model:q} \
            --output {output.page:q} \
            --title {wildcards.run:q} \
            --log {log:q}
        """


rule report:
    """Draw the report of a run."""
    input:
        model="results/{run}/model/model.json",
        history="results/{run}/history.csv",
        reach="results/{run}/gradient_reach.tsv",
        scores=rules.evaluate.output,
        motifs=lambda wildcards: (
            rules.motifs.output if wildcards.run in GENOME_RUNS else []
        ),
        # The report links to it.
        predictor=lambda wildcards: (
            rules.page.output if STUDY.has_page(wildcards.run) else []
        ),
    output:
        page=report(
            "results/{run}/report.html",
            caption="../report/run.rst",
            category="Runs",
            labels={"run": "{run}"},
        ),
    log:
        "logs/report/{run}.log",
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


rule crate:
    """Make the folder of a run an RO-Crate, and write its model card."""
    input:
        model="results/{run}/model/model.json",
        history="results/{run}/history.csv",
        scores=rules.evaluate.output,
        report="results/{run}/report.html",
    output:
        crate="results/{run}/ro-crate-metadata.json",
        card="results/{run}/model/README.md",
    log:
        "logs/crate/{run}.log",
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        run=subpath(output.crate, parent=True),
        study=lambda wildcards: study_with([wildcards.run]),
        about=CRATE_OPTIONS,
        version=VERSION,
    shell:
        """
        grubio crate {params.run:q} \
            --study {params.study:q} {params.about} \
            --log {log:q}
        """


rule compare:
    """Compare all runs."""
    input:
        metrics=expand("results/{run}/metrics.json", run=[*RUNS, *CROSS_VALIDATIONS]),
        history=expand("results/{run}/history.csv", run=RUNS),
        reach=expand("results/{run}/gradient_reach.tsv", run=RUNS),
        # The page links to the reports that exist.
        reports=expand("results/{run}/report.html", run=[*RUNS, *CROSS_VALIDATIONS]),
    output:
        table=report(
            "results/comparison.tsv",
            caption="../report/comparison.rst",
            category="Comparison",
        ),
        figure=report(
            "results/comparison.svg",
            caption="../report/comparison.rst",
            category="Comparison",
        ),
        page="results/comparison.html",
        groups=report(
            "results/comparison.groups.tsv",
            caption="../report/groups.rst",
            category="Comparison",
        ),
        groups_figure=report(
            "results/comparison.groups.svg",
            caption="../report/groups.rst",
            category="Comparison",
        ),
        tests=report(
            "results/comparison.tests.tsv",
            caption="../report/tests.rst",
            category="Comparison",
        ),
        data="results/comparison.json",
    log:
        "logs/compare.log",
    localrule: True
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        runs=expand("results/{run}", run=[*CROSS_VALIDATIONS, *RUNS]),
        version=VERSION,
    shell:
        """
        grubio compare {params.runs:q} \
            --output {output.table:q} \
            --figure {output.figure:q} \
            --html {output.page:q} \
            --groups {output.groups:q} \
            --groups-figure {output.groups_figure:q} \
            --tests {output.tests:q} \
            --data {output.data:q} \
            --log {log:q}
        """
