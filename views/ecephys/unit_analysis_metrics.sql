-- one unit's stimulus-tuning metrics of one source
-- spec: ecephys 4.14, EC-2, OD-5, OD-7, OD-11
-- sdk: EcephysProjectCache.get_unit_analysis_metrics_for_session, EcephysProjectCache.get_unit_analysis_metrics_by_session_type
--   session_id                      session of the unit; NULL where the lake does not know the unit
--   unit_id                         unit
--   source                          published
--   session_type                    stimulus programme of the session
--   structure_acronym               structure of the unit's peak channel
--   firing_rate_dg                  mean rate over the stimulus (dg) (Hz)
--   firing_rate_dm                  mean rate over the stimulus (dm) (Hz)
--   firing_rate_fl                  mean rate over the stimulus (fl) (Hz)
--   firing_rate_ns                  mean rate over the stimulus (ns) (Hz)
--   firing_rate_rf                  mean rate over the stimulus (rf) (Hz)
--   firing_rate_sg                  mean rate over the stimulus (sg) (Hz)
--   fano_dg                         Fano factor at the preferred condition (dg) (1)
--   fano_dm                         Fano factor at the preferred condition (dm) (1)
--   fano_fl                         Fano factor at the preferred condition (fl) (1)
--   fano_ns                         Fano factor at the preferred condition (ns) (1)
--   fano_rf                         Fano factor at the preferred condition (rf) (1)
--   fano_sg                         Fano factor at the preferred condition (sg) (1)
--   lifetime_sparseness_dg          lifetime sparseness over conditions (dg) (1)
--   lifetime_sparseness_dm          lifetime sparseness over conditions (dm) (1)
--   lifetime_sparseness_fl          lifetime sparseness over conditions (fl) (1)
--   lifetime_sparseness_ns          lifetime sparseness over conditions (ns) (1)
--   lifetime_sparseness_rf          lifetime sparseness over conditions (rf) (1)
--   lifetime_sparseness_sg          lifetime sparseness over conditions (sg) (1)
--   run_mod_dg                      running modulation at the preferred condition (dg) (1)
--   run_mod_dm                      running modulation at the preferred condition (dm) (1)
--   run_mod_fl                      running modulation at the preferred condition (fl) (1)
--   run_mod_ns                      running modulation at the preferred condition (ns) (1)
--   run_mod_rf                      running modulation at the preferred condition (rf) (1)
--   run_mod_sg                      running modulation at the preferred condition (sg) (1)
--   run_pval_dg                     p of the running modulation (dg) (1)
--   run_pval_dm                     p of the running modulation (dm) (1)
--   run_pval_fl                     p of the running modulation (fl) (1)
--   run_pval_ns                     p of the running modulation (ns) (1)
--   run_pval_rf                     p of the running modulation (rf) (1)
--   run_pval_sg                     p of the running modulation (sg) (1)
--   time_to_peak_dg                 time of the largest PSTH bin (dg) (s)
--   time_to_peak_dm                 time of the largest PSTH bin (dm) (s)
--   time_to_peak_fl                 time of the largest PSTH bin (fl) (s)
--   time_to_peak_ns                 time of the largest PSTH bin (ns) (s)
--   time_to_peak_rf                 time of the largest PSTH bin (rf) (s)
--   time_to_peak_sg                 time of the largest PSTH bin (sg) (s)
--   pref_ori_dg                     preferred orientation, drifting gratings (deg)
--   pref_tf_dg                      preferred temporal frequency, drifting gratings (Hz)
--   c50_dg                          contrast of half response (1)
--   f1_f0_dg                        response at the stimulus frequency over the mean (1)
--   mod_idx_dg                      modulation index (1)
--   g_osi_dg                        global orientation selectivity, drifting gratings (1)
--   g_dsi_dg                        global direction selectivity, drifting gratings (1)
--   pref_ori_multi_dg               several orientations share the maximum
--   pref_tf_multi_dg                several temporal frequencies share the maximum
--   pref_dir_dm                     preferred direction, dot motion (deg)
--   pref_speed_dm                   preferred speed, dot motion
--   pref_dir_multi_dm               several directions share the maximum
--   pref_speed_multi_dm             several speeds share the maximum
--   on_off_ratio_fl                 response to bright over dark flashes (1)
--   sustained_idx_fl                mean over maximum of the flash PSTH (1)
--   pref_image_ns                   preferred natural scene, as a stimulus condition id, OD-5
--   pref_image_multi_ns             several scenes share the maximum
--   image_selectivity_ns            image selectivity (1)
--   pref_sf_sg                      preferred spatial frequency, static gratings (1/deg)
--   pref_ori_sg                     preferred orientation, static gratings (deg)
--   pref_phase_sg                   preferred phase, static gratings (1)
--   g_osi_sg                        global orientation selectivity, static gratings (1)
--   pref_sf_multi_sg                several spatial frequencies share the maximum
--   pref_ori_multi_sg               several orientations share the maximum
--   pref_phase_multi_sg             several phases share the maximum
--   azimuth_rf                      receptive field centre, azimuth (deg)
--   elevation_rf                    receptive field centre, elevation (deg)
--   area_rf                         receptive field area (deg2)
--   width_rf                        receptive field extent (OD-7: along elevation) (deg)
--   height_rf                       receptive field extent (OD-7: along azimuth) (deg)
--   p_value_rf                      p that responses do not depend on position (1)
--   on_screen_rf                    the fitted centre lies on the screen
--   time_to_first_spike_fl          median time to the first spike after a flash (s)
--   p_run_mod_dg                    run_pval_dg, under the name of the user guide (1)
--   p_run_mod_dm                    run_pval_dm, under the name of the user guide (1)
--   p_run_mod_fl                    run_pval_fl, under the name of the user guide (1)
--   p_run_mod_ns                    run_pval_ns, under the name of the user guide (1)
--   p_run_mod_rf                    run_pval_rf, under the name of the user guide (1)
--   p_run_mod_sg                    run_pval_sg, under the name of the user guide (1)
--   fano_factor_dm                  fano_dm, under the name of the user guide (1)
--   fano_factor_fl                  fano_fl, under the name of the user guide (1)
--   fano_factor_ns                  fano_ns, under the name of the user guide (1)
--   fano_factor_rf                  fano_rf, under the name of the user guide (1)
with published as (
    select
        p.unit_id,
        p.firing_rate_dg, p.firing_rate_dm, p.firing_rate_fl, p.firing_rate_ns, p.firing_rate_rf,
        p.firing_rate_sg, p.fano_dg, p.fano_dm, p.fano_fl, p.fano_ns, p.fano_rf, p.fano_sg,
        p.lifetime_sparseness_dg, p.lifetime_sparseness_dm, p.lifetime_sparseness_fl, p.lifetime_sparseness_ns,
        p.lifetime_sparseness_rf, p.lifetime_sparseness_sg, p.run_mod_dg, p.run_mod_dm, p.run_mod_fl,
        p.run_mod_ns, p.run_mod_rf, p.run_mod_sg, p.run_pval_dg, p.run_pval_dm, p.run_pval_fl, p.run_pval_ns,
        p.run_pval_rf, p.run_pval_sg, p.time_to_peak_dg, p.time_to_peak_dm, p.time_to_peak_fl,
        p.time_to_peak_ns, p.time_to_peak_rf, p.time_to_peak_sg, p.pref_ori_dg, p.pref_tf_dg, p.c50_dg,
        p.f1_f0_dg, p.mod_idx_dg, p.g_osi_dg, p.g_dsi_dg, p.pref_ori_multi_dg, p.pref_tf_multi_dg,
        p.pref_dir_dm, p.pref_speed_dm, p.pref_dir_multi_dm, p.pref_speed_multi_dm, p.on_off_ratio_fl,
        p.sustained_idx_fl, p.pref_image_ns, p.pref_image_multi_ns, p.image_selectivity_ns, p.pref_sf_sg,
        p.pref_ori_sg, p.pref_phase_sg, p.g_osi_sg, p.pref_sf_multi_sg, p.pref_ori_multi_sg,
        p.pref_phase_multi_sg, p.azimuth_rf, p.elevation_rf, p.area_rf, p.width_rf, p.height_rf, p.p_value_rf,
        p.on_screen_rf
    from ecephys.published_unit_metrics as p
    union all
    select
        a.unit_id,
        a.firing_rate_dg, a.firing_rate_dm, a.firing_rate_fl, a.firing_rate_ns, a.firing_rate_rf,
        a.firing_rate_sg, a.fano_dg, a.fano_dm, a.fano_fl, a.fano_ns, a.fano_rf, a.fano_sg,
        a.lifetime_sparseness_dg, a.lifetime_sparseness_dm, a.lifetime_sparseness_fl, a.lifetime_sparseness_ns,
        a.lifetime_sparseness_rf, a.lifetime_sparseness_sg, a.run_mod_dg, a.run_mod_dm, a.run_mod_fl,
        a.run_mod_ns, a.run_mod_rf, a.run_mod_sg, a.run_pval_dg, a.run_pval_dm, a.run_pval_fl, a.run_pval_ns,
        a.run_pval_rf, a.run_pval_sg, a.time_to_peak_dg, a.time_to_peak_dm, a.time_to_peak_fl,
        a.time_to_peak_ns, a.time_to_peak_rf, a.time_to_peak_sg, a.pref_ori_dg, a.pref_tf_dg, a.c50_dg,
        a.f1_f0_dg, a.mod_idx_dg, a.g_osi_dg, a.g_dsi_dg, a.pref_ori_multi_dg, a.pref_tf_multi_dg,
        a.pref_dir_dm, a.pref_speed_dm, a.pref_dir_multi_dm, a.pref_speed_multi_dm, a.on_off_ratio_fl,
        a.sustained_idx_fl, a.pref_image_ns, a.pref_image_multi_ns, a.image_selectivity_ns, a.pref_sf_sg,
        a.pref_ori_sg, a.pref_phase_sg, a.g_osi_sg, a.pref_sf_multi_sg, a.pref_ori_multi_sg,
        a.pref_phase_multi_sg, a.azimuth_rf, a.elevation_rf, a.area_rf, a.width_rf, a.height_rf, a.p_value_rf,
        a.on_screen_rf
    from ecephys.annotated_unit_metrics as a
    anti join ecephys.published_unit_metrics as p on p.unit_id = a.unit_id
)
select
    u.session_id,
    m.unit_id,
    'published' as source,
    u.session_type,
    u.structure_acronym,
    m.firing_rate_dg,
    m.firing_rate_dm,
    m.firing_rate_fl,
    m.firing_rate_ns,
    m.firing_rate_rf,
    m.firing_rate_sg,
    m.fano_dg,
    m.fano_dm,
    m.fano_fl,
    m.fano_ns,
    m.fano_rf,
    m.fano_sg,
    m.lifetime_sparseness_dg,
    m.lifetime_sparseness_dm,
    m.lifetime_sparseness_fl,
    m.lifetime_sparseness_ns,
    m.lifetime_sparseness_rf,
    m.lifetime_sparseness_sg,
    m.run_mod_dg,
    m.run_mod_dm,
    m.run_mod_fl,
    m.run_mod_ns,
    m.run_mod_rf,
    m.run_mod_sg,
    m.run_pval_dg,
    m.run_pval_dm,
    m.run_pval_fl,
    m.run_pval_ns,
    m.run_pval_rf,
    m.run_pval_sg,
    m.time_to_peak_dg,
    m.time_to_peak_dm,
    m.time_to_peak_fl,
    m.time_to_peak_ns,
    m.time_to_peak_rf,
    m.time_to_peak_sg,
    m.pref_ori_dg,
    m.pref_tf_dg,
    m.c50_dg,
    m.f1_f0_dg,
    m.mod_idx_dg,
    m.g_osi_dg,
    m.g_dsi_dg,
    m.pref_ori_multi_dg,
    m.pref_tf_multi_dg,
    m.pref_dir_dm,
    m.pref_speed_dm,
    m.pref_dir_multi_dm,
    m.pref_speed_multi_dm,
    m.on_off_ratio_fl,
    m.sustained_idx_fl,
    m.pref_image_ns,
    m.pref_image_multi_ns,
    m.image_selectivity_ns,
    m.pref_sf_sg,
    m.pref_ori_sg,
    m.pref_phase_sg,
    m.g_osi_sg,
    m.pref_sf_multi_sg,
    m.pref_ori_multi_sg,
    m.pref_phase_multi_sg,
    m.azimuth_rf,
    m.elevation_rf,
    m.area_rf,
    m.width_rf,
    m.height_rf,
    m.p_value_rf,
    m.on_screen_rf,
    t.time_to_first_spike_fl,
    m.run_pval_dg as p_run_mod_dg,
    m.run_pval_dm as p_run_mod_dm,
    m.run_pval_fl as p_run_mod_fl,
    m.run_pval_ns as p_run_mod_ns,
    m.run_pval_rf as p_run_mod_rf,
    m.run_pval_sg as p_run_mod_sg,
    m.fano_dm as fano_factor_dm,
    m.fano_fl as fano_factor_fl,
    m.fano_ns as fano_factor_ns,
    m.fano_rf as fano_factor_rf
from published as m
left join ecephys.units as u on u.unit_id = m.unit_id
left join ecephys.unit_latencies as t on t.unit_id = m.unit_id
